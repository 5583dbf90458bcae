import { rowsFrom } from "./html.js";
import { arrange, arrangeAll, endOf, markFirstUnread, place, positionOf } from "./rows.js";

const MOST_ROWS = 300;
const LATE_MAX = 500;

/** The numbered rows of a list, as a run without a gap: at most so many, and where the unread begins among them. */
export class Run {
  #rows;
  #unread;
  #label;
  #late = new Map(); // rows that were revised while they were not here: a page on its way may show them as they were

  /** @param {{after: number, upTo: number, viewer: string}} unread - others' messages between these positions */
  constructor(rows, unread, label) {
    this.#rows = rows;
    this.#unread = unread;
    this.#label = label;
    this.#arrangeAll();
  }

  /** The highest position among the rows, or 0. */
  get newest() {
    return Math.max(0, ...[...this.#rows.children].map(endOf).filter(Number.isFinite));
  }

  get oldest() {
    return positionOf(this.#rows.firstElementChild);
  }

  get isFull() {
    return this.#rows.childElementCount >= MOST_ROWS;
  }

  /** The row that tells where the unread begins, if it is here. */
  get firstUnread() {
    return this.#rows.querySelector(".message--first-unread");
  }

  /** Have the unread begin at a position, and nowhere else while the page is open. */
  markUnread(position) {
    Object.assign(this.#unread, { after: position - 1, upTo: Infinity });
    this.#arrangeAll();
  }

  /** Arrange a row that stands in place of another. */
  arrange(row) {
    this.#divide();
    arrange(row);
  }

  keepLate(id, html) {
    this.#late.set(String(id), html);
    if (this.#late.size > LATE_MAX) this.#late.delete(this.#late.keys().next().value);
  }

  /** Put a line between the messages in, in place of what it tells anew. */
  receiveNotice(html) {
    const [row] = rowsFrom(html);
    this.#sameNotices(row).forEach((each) => each.remove());
    place(this.#rows, row);
    arrange(row);
  }

  /** Put a page of rows to the others. */
  add(rows) {
    for (const row of rows) {
      const { id } = row.dataset;
      const [late] = rowsFrom(this.#late.get(id) ?? "");
      this.#late.delete(id); // from now on it is revised where it stands
      if (!this.#has(row)) place(this.#rows, late ?? row);
    }
    this.#arrangeAll();
  }

  /** Put other rows in place of all but those on their way. */
  replaceAll(rows) {
    for (const row of this.#numbered) row.remove();
    this.add(rows);
  }

  /** Put the rows of one end away if there are too many. Return whether there were. */
  trim(way) {
    const rows = this.#numbered;
    const tooMany = Math.max(0, rows.length - MOST_ROWS);
    for (const row of way === "before" ? rows.slice(0, tooMany) : rows.slice(rows.length - tooMany)) row.remove();
    if (tooMany) arrange(this.#rows.firstElementChild);
    return tooMany > 0;
  }

  get #numbered() {
    return [...this.#rows.querySelectorAll(":scope > [data-position]")];
  }

  #has(row) {
    if (!row.dataset.id) return this.#sameNotices(row).length > 0;
    return this.#rows.querySelector(`[data-id="${row.dataset.id}"]`) !== null;
  }

  /** Return the lines between the messages that tell of the same as a row. */
  #sameNotices(row) {
    const touches = (each) => positionOf(each) <= endOf(row) && endOf(each) >= positionOf(row);
    return [...this.#rows.querySelectorAll(":scope > [data-notice]")].filter(touches);
  }

  #divide() {
    markFirstUnread(this.#rows, this.#unread, this.#label);
  }

  #arrangeAll() {
    this.#divide();
    arrangeAll(this.#rows);
  }
}
