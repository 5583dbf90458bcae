import { complain } from "./announcing.js";
import { rowsFrom } from "./html.js";
import { getRows, post } from "./http.js";
import { enliven } from "./prose.js";

/** What is pinned to a room: how much, the list of it in a dialog, and pinning. */
export class Pins {
  #room;
  #link;
  #dialog;
  #ids;
  #turn = 0;

  constructor(room) {
    this.#room = room;
    this.#link = room.querySelector("[data-pinned][href]");
    this.#dialog = room.querySelector("[data-pin-list]");
    this.#ids = new Set(this.#link.dataset.pinned.match(/\d+/g)?.map(Number));
    room.addEventListener("click", (event) => this.#press(event));
  }

  /** Take in what an event says of a message. */
  take({ id, pinned_at: isPinned }) {
    if (!isPinned && !this.#ids.has(id)) return;
    this.#ids[isPinned ? "add" : "delete"](id);
    this.#link.hidden = !this.#ids.size;
    this.#link.querySelector("[data-pin-count]").textContent = this.#ids.size;
    if (this.#dialog.open) this.#list().catch(complain);
  }

  #press(event) {
    const { target, ctrlKey, metaKey, shiftKey } = event;
    const button = target.closest("[data-do=pin], [data-do=unpin]");
    const asks = this.#link.contains(target) && !(ctrlKey || metaKey || shiftKey);
    if (button || asks) event.preventDefault();
    if (button) this.#change(button);
    if (asks) this.#list().then(() => this.#dialog.showModal(), () => location.assign(this.#link.href));
  }

  async #list() {
    const turn = ++this.#turn;
    const rows = rowsFrom((await getRows(`${this.#link.href}?rows`)).html);
    if (turn !== this.#turn) return; // asked for again meanwhile
    const list = this.#dialog.querySelector("ol");
    list.replaceChildren(...rows);
    rows.forEach(enliven);
    if (this.#dialog.open && !this.#dialog.contains(document.activeElement)) list.focus(); // what had it is gone
  }

  async #change(button) {
    const { messagesUrl } = this.#room.dataset;
    const { done, do: what } = button.dataset;
    const url = button.form?.action ?? `${messagesUrl}${button.closest("li").dataset.id}/${what}/`;
    try {
      await post(url, {});
      this.#room.querySelector("[data-answered]").textContent = done;
    } catch (error) {
      complain(error, "failed");
    }
  }
}
