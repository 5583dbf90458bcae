const NEAR = 80; // pixels

/**
 * A list that is read from its end. The box is laid out in reverse (messages.css), so its `scrollTop` is 0 at the newest
 * row and negative above it: at the end it stays there, and what is put in above moves nothing.
 */
export class Scroller {
  #box;

  constructor(box) {
    this.#box = box;
  }

  get isAtEnd() {
    return Math.abs(this.#box.scrollTop) < NEAR;
  }

  toEnd() {
    this.#box.scrollTop = 0;
  }

  /** Change the rows without moving what is being read. */
  hold(rows, change) {
    const anchor = this.isAtEnd ? null : this.#firstInView(rows);
    const before = anchor?.getBoundingClientRect().top;
    change();
    if (anchor?.isConnected) this.#box.scrollTop += anchor.getBoundingClientRect().top - before;
  }

  #firstInView(rows) {
    const top = this.#box.getBoundingClientRect().top;
    return [...rows].find((row) => row.getBoundingClientRect().bottom > top);
  }
}
