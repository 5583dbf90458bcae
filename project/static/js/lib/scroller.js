const NEAR = 80; // pixels

/**
 * A list that is read from its end. The box is laid out in reverse (messages.css), so its `scrollTop` is 0 at the newest
 * row and negative above it: at the end it stays there. Anywhere else the row that is being read stays where it is,
 * whatever grows above or below it: an image that comes, a reaction, an edit (browsers' own anchoring is not everywhere).
 */
export class Scroller {
  #box;
  #rows;
  #owed = 0;
  #anchor = null;
  #heldAt = null; // where we scrolled to ourselves

  /** Whether the list's end is the room's: only there it is followed. */
  follows = true;

  constructor(box, rows) {
    this.#box = box;
    this.#rows = rows;
    box.addEventListener("scroll", () => box.scrollTop !== this.#heldAt && this.#moved(), { passive: true });
    const observer = new ResizeObserver(() => this.#keep());
    observer.observe(rows);
    observer.observe(box);
  }

  get isAtEnd() {
    return this.follows && Math.abs(this.#box.scrollTop) < NEAR;
  }

  toEnd() {
    this.#box.scrollTop = 0;
    this.#remember();
  }

  /** Bring a row into view: its beginning to the upper part of the box. */
  reveal(row) {
    this.#box.scrollTop += row.getBoundingClientRect().top - this.#box.getBoundingClientRect().top - this.#box.clientHeight / 4;
    this.#remember();
  }

  /** Return the first row in view. */
  get first() {
    const top = this.#box.getBoundingClientRect().top + 1; // boxes scroll by whole pixels, rows end between them
    return [...this.#rows.children].find((row) => row.getBoundingClientRect().bottom > top);
  }

  /** Return the last row whose end has come into view, with all above it here. */
  get last() {
    const end = this.#box.getBoundingClientRect().bottom + 1;
    const isWhole = ({ dataset }) => dataset.position && !("ahead" in dataset);
    return [...this.#rows.children].findLast((row) => isWhole(row) && row.getBoundingClientRect().bottom <= end);
  }

  /**
   * Change the rows without moving what is being read, or one row in particular. A box scrolls by whole pixels and rows
   * are not that high: what is left over is made good the next time, or a hundred messages would move the view by fifty
   * pixels.
   */
  hold(change, row = this.isAtEnd ? null : this.first) {
    const wanted = row ? this.#top(row) - this.#owed : 0;
    change();
    this.#owed = 0;
    const now = row?.isConnected ? row : row?.id && document.getElementById(row.id);
    if (now) {
      this.#box.scrollTop += this.#top(now) - wanted;
      const left = this.#top(now) - wanted;
      if (Math.abs(left) < 1) this.#owed = left;
    }
    this.#remember();
    this.#heldAt = this.#box.scrollTop;
  }

  /** The reader has scrolled: what is in view now is where they want it, and nothing is left over. */
  #moved() {
    this.#owed = 0;
    this.#remember();
  }

  #top(row) {
    return row.getBoundingClientRect().top - this.#box.getBoundingClientRect().top;
  }

  #remember() {
    const row = this.isAtEnd ? null : this.first;
    this.#heldAt = null;
    this.#anchor = row && { row, top: this.#top(row) };
  }

  #keep() {
    if (!this.#anchor) return;
    const { row, top } = this.#anchor;
    const now = row.isConnected ? row : row.id && document.getElementById(row.id);
    if (!now || Math.abs(this.#top(now) - top) < 1) return;
    this.#box.scrollTop += this.#top(now) - top;
    this.#heldAt = this.#box.scrollTop;
  }
}
