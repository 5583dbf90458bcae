import { pickEmoji } from "../elements/emoji-picker.js";
import { complain } from "./announcing.js";
import { Deletions } from "./deletions.js";
import { fold, unfold } from "./folding.js";
import { forward } from "./forwarding.js";
import { post } from "./http.js";

/** What is done with messages that are there: reactions, forwarding, deleting; and what of them is the viewer's own. */
export class Answering {
  #room;
  #deletions;

  constructor(room) {
    this.#room = room;
    this.#deletions = new Deletions(room);
    const rows = room.querySelector("[data-rows]");
    for (const row of rows.children) this.#dress(row);
    // Rows come and are replaced in many ways; each is dressed before it is painted.
    new MutationObserver((changes) => this.#came(changes)).observe(rows, { childList: true });
    rows.addEventListener("click", ({ target }) => this.#press(target.closest(".reaction, [data-do=undo], [data-do=unfold]")));
    rows.addEventListener("contextmenu", (event) => this.#tell(event));
    room.addEventListener("message-delete", ({ target }) => this.#deletions.begin(target));
    room.addEventListener("message-forward", ({ target }) => forward(room, target));
    room.addEventListener("message-react", ({ target }) => pickEmoji((emoji) => this.#react(target, { emoji })));
  }

  /** Not a stranger to the room, nor anybody in an archived one, nor somebody who is muted. */
  get #reacts() {
    return "reacts" in this.#room.dataset;
  }

  #came(changes) {
    for (const row of changes.flatMap(({ addedNodes }) => [...addedNodes])) if (row.matches?.("li")) this.#dress(row);
  }

  #dress(row) {
    const { viewer, username } = this.#room.dataset;
    for (const each of row.querySelectorAll(".reaction")) {
      if (this.#reacts) each.ariaPressed = each.dataset.people.split(" ").includes(viewer);
      else each.ariaDisabled = "true"; // it still tells who reacted
    }
    const isMe = ({ dataset }) => [username, "room"].includes(dataset.username);
    for (const each of row.querySelectorAll(".mention")) each.classList.toggle("mention--me", isMe(each));
    fold(row, this.#room.dataset.ignored);
    this.#deletions.dress(row);
  }

  #press(button) {
    const row = button?.closest("li[data-id]");
    if (!row) return;
    if (button.dataset.do === "unfold") unfold(row);
    else if (button.dataset.do === "undo") this.#deletions.undo(row);
    else if (this.#reacts) this.#toggle(row, button);
  }

  /** Shown at once; the event brings what it has become. */
  async #toggle(row, button) {
    const remove = button.ariaPressed === "true";
    button.ariaPressed = !remove;
    button.querySelector(".reaction__count").textContent -= remove ? 1 : -1;
    const done = await this.#react(row, { emoji: button.dataset.emoji, ...(remove && { remove: 1 }) });
    if (done) return;
    button.ariaPressed = remove;
    button.querySelector(".reaction__count").textContent -= remove ? -1 : 1;
  }

  async #react(row, fields) {
    try {
      return await post(`${this.#room.dataset.messagesUrl}${row.dataset.id}/reactions/`, fields);
    } catch (error) {
      complain(error, "failed");
      return null;
    }
  }

  /** Who reacted, where nothing can hover: at a long press, and the keyboard's menu key. */
  #tell(event) {
    const button = event.target.closest(".reaction");
    if (!button) return;
    event.preventDefault();
    const who = this.#room.querySelector("[data-who]");
    who.textContent = `${button.dataset.emoji} ${button.title}`;
    who.showPopover();
  }
}
