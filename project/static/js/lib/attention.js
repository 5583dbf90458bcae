import { ReadMarker } from "./read-marker.js";

/** Whether the person is looking: what is in view then counts as read, and what is not is counted as missed. */
export class Attention {
  #list;
  #scroller;
  #title;
  #marker;

  constructor({ list, scroller, title, readUrl, lastRead }) {
    this.#list = list;
    this.#scroller = scroller;
    this.#title = title;
    this.#marker = new ReadMarker(readUrl, lastRead);
  }

  begin(signal) {
    const looked = () => this.looked();
    window.addEventListener("focus", looked, { signal });
    document.addEventListener("visibilitychange", looked, { signal });
    this.#scroller.addEventListener("view-moved", looked, { signal });
    looked();
  }

  looked() {
    if (document.hidden) return;
    this.#title.clear();
    if (document.hasFocus() && this.#scroller.isAtEnd) this.#marker.see(this.#list.newest);
  }

  /** Somebody wrote. */
  called() {
    if (!this.#scroller.isAtEnd) this.#scroller.miss();
    if (document.hidden) this.#title.miss();
  }
}
