const NEAR = 80; // pixels

/**
 * A list that is read from its end. The box is laid out in reverse (messages.css), so its `scrollTop` is 0 at the newest
 * row and negative above it: at the end it stays there, and what is put in above moves nothing.
 */
export class Scroller {
  #box;
  #owed = 0;

  constructor(box) {
    this.#box = box;
  }

  get isAtEnd() {
    return Math.abs(this.#box.scrollTop) < NEAR;
  }

  toEnd() {
    this.#box.scrollTop = 0;
  }

  /**
   * Change the rows without moving what is being read. A box scrolls by whole pixels and rows are not that high: what
   * is left over is made good the next time, or a hundred messages would move the view by fifty pixels.
   */
  hold(rows, change) {
    const anchor = this.isAtEnd ? null : this.#firstInView(rows);
    const top = () => anchor.getBoundingClientRect().top;
    const wanted = anchor ? top() - this.#owed : 0;
    change();
    this.#owed = 0;
    if (!anchor?.isConnected) return;
    this.#box.scrollTop += top() - wanted;
    if (Math.abs(top() - wanted) < 1) this.#owed = top() - wanted;
  }

  #firstInView(rows) {
    const top = this.#box.getBoundingClientRect().top;
    return [...rows].find((row) => row.getBoundingClientRect().bottom > top);
  }
}
