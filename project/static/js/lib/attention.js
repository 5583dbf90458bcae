import { complain } from "./announcing.js";
import { post } from "./http.js";
import { ReadMarker } from "./read-marker.js";
import { endOf } from "./rows.js";

/** Whether the person is looking: what is in view then counts as read, and what is not is counted as missed. */
export class Attention {
  #list;
  #scroller;
  #history;
  #title;
  #unreadUrl;
  #marker;
  #hasBegun = false;

  constructor({ list, scroller, history, title, readUrl, unreadUrl, lastRead }) {
    this.#list = list;
    this.#scroller = scroller;
    this.#history = history;
    this.#title = title;
    this.#unreadUrl = unreadUrl;
    this.#marker = new ReadMarker(readUrl, lastRead);
  }

  /** From now on: the page shows what it was opened for. */
  begin(signal) {
    this.#hasBegun = true;
    const looked = () => this.looked();
    window.addEventListener("focus", looked, { signal });
    document.addEventListener("visibilitychange", looked, { signal });
    this.#scroller.addEventListener("view-moved", looked, { signal });
    looked();
  }

  looked() {
    if (document.hidden || !this.#hasBegun) return;
    this.#title.clear();
    const row = this.#scroller.lastSeen;
    if (row && document.hasFocus() && !this.#hasSkipped) this.#marker.see(endOf(row));
  }

  /** Somebody wrote. */
  called() {
    if (!this.#scroller.isAtEnd) this.#scroller.miss();
    if (document.hidden) this.#title.miss();
  }

  /** Another tab or device of the person's has read on. */
  hear(position) {
    this.#marker.hear(position);
    if (!this.#history.isLive || position < this.#list.run.newest) return;
    this.#title.clear();
    this.#scroller.missNothing();
  }

  /** The person wants to come back to a message. */
  markUnread(position) {
    this.#marker.stop();
    this.#list.run.markUnread(position);
    post(this.#unreadUrl, { position }).catch((error) => complain(error, "failed"));
  }

  /** Whether unread rows stand above those in the page, as under a link into the middle: then nothing counts as read
   * until the person goes to the end, which is to say that they have caught up. */
  get #hasSkipped() {
    return this.#history.hasOlder && this.#marker.position < this.#list.run.oldest - 1 && !this.#scroller.isAtEnd;
  }
}
