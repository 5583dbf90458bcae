import { Refusal, post } from "./http.js";
import { part } from "./part.js";
import { keep, recall } from "./storage.js";

const CHANCE = 8_000; // milliseconds in which it can be undone

/**
 * Deletes messages a while after they were asked to go, so that it can be undone. What waits is written down: leaving
 * the page deletes at once, and what could not be sent then is sent by the room's next page.
 */
export class Deletions {
  #url;
  #key;
  #timers = new Map();

  constructor(room) {
    this.#url = room.dataset.messagesUrl;
    this.#key = `deletions:${room.dataset.viewer}:${room.dataset.slug}`;
    for (const id of this.#ids) this.#wait(id);
    window.addEventListener("pagehide", () => this.#sendAll());
    document.addEventListener("submit", (event) => this.#finish(event), { capture: true });
  }

  get #ids() {
    return recall(this.#key) ?? [];
  }

  begin(row) {
    keep(this.#key, [...this.#ids, row.dataset.id]);
    this.#wait(row.dataset.id);
    this.dress(row);
    row.querySelector("[data-do=undo]").focus();
  }

  undo(row) {
    this.#forget(row.dataset.id);
    this.dress(row);
    row.querySelector(".message__time").focus();
  }

  /** Show a row as leaving, or as it was. */
  dress(row) {
    const isLeaving = this.#timers.has(row.dataset.id) && !row.matches(".message--deleted");
    row.classList.toggle("message--leaving", isLeaving);
    const notice = row.querySelector(".message__undo");
    if (isLeaving && !notice) row.append(part("undo"));
    else if (!isLeaving) notice?.remove();
  }

  #sendAll() {
    return Promise.all([...this.#timers.keys()].map((id) => this.#send(id)));
  }

  /** Signing out forgets what waits, and takes the right to delete: so it comes after. */
  async #finish(event) {
    if (!event.target.matches("[data-forgets]") || !this.#timers.size) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    await this.#sendAll();
    this.#timers.clear();
    event.target.requestSubmit();
  }

  #wait(id) {
    clearTimeout(this.#timers.get(id));
    this.#timers.set(id, setTimeout(() => this.#send(id), CHANCE));
  }

  #forget(id) {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    keep(this.#key, this.#ids.filter((each) => each !== id));
  }

  async #send(id) {
    let message;
    try {
      // Unless it was undone in another tab.
      if (this.#ids.includes(id)) message = await post(`${this.#url}${id}/delete/`, {}, { keepalive: true });
    } catch (error) {
      if (!(error instanceof Refusal) || error.isPassing) return this.#wait(id);
    }
    this.#forget(id);
    const row = document.querySelector(`[data-rows] > [data-id="${id}"]`);
    if (!row) return;
    if (message) row.dispatchEvent(new CustomEvent("message-changed", { bubbles: true, detail: message }));
    this.dress(row);
  }
}
