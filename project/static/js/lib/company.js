import { refreshAvatars } from "./avatar.js";
import { sentence } from "./part.js";
import { Presence } from "./presence.js";

/** The people of a room, as its page shows them: who is in it, who is here, who is typing. */
export class Company {
  #members;
  #typing;
  #counts;
  #heres;
  #presence = new Presence((state) => this.#showPresence(state));

  /** @param {HTMLElement} room */
  constructor(room) {
    this.#members = room.querySelector("member-list");
    this.#typing = room.querySelector("typing-line");
    this.#counts = room.querySelectorAll("[data-member-count]");
    this.#heres = room.querySelectorAll("[data-here-count]");
  }

  /** Take in what the stream says about people. */
  apply(name, data) {
    if (name === "presence") this.#presence.take(data);
    else if (name === "typing") this.#typing?.show(data);
    else this.#count(this.#members.apply(name, data));
  }

  /** Whoever has written is not typing any more, and is shown as they are now. */
  wrote(author) {
    if (!author) return;
    this.#typing?.clear(author.id);
    refreshAvatars(author);
  }

  reconnected() {
    this.#presence.reconnected();
  }

  #count(difference) {
    for (const each of this.#counts) each.textContent = Number(each.textContent) + difference;
  }

  #showPresence({ count, here }) {
    this.#members.showHere(here);
    for (const each of this.#heres) each.textContent = sentence(each.dataset.hereCount, { count });
  }
}
