import { isEscape } from "./keys.js";

const INSIDE = "a, button, pre, summary, audio, video, [tabindex]";
const STEPS = { ArrowUp: -1, ArrowDown: 1 };
const ENDS = { Home: 0, End: -1 };

/**
 * The messages are one stop of the Tab key: arrows, Home and End go from one to the next, Tab goes on to what is in it
 * (its time, links and actions), Escape comes back. Who has not been there yet begins at the newest.
 */
export class Roving {
  #rows;
  #current = null;
  #hasFocus = false;

  /** @param {HTMLElement} rows - whose children are the messages */
  constructor(rows) {
    this.#rows = rows;
    for (const row of rows.children) this.#close(row);
    rows.addEventListener("keydown", (event) => this.#press(event));
    document.addEventListener("focusin", ({ target }) => this.#follow(target));
    new MutationObserver((changes) => this.#tidy(changes)).observe(rows, { childList: true, subtree: true });
    this.#make(this.#messages.at(-1));
  }

  /** The rows but the quiet lines between them, in which there is nothing to do. */
  get #messages() {
    return [...this.#rows.querySelectorAll(":scope > .message")];
  }

  #press(event) {
    const { key, target, ctrlKey, altKey, metaKey, shiftKey } = event;
    if (ctrlKey || altKey || metaKey || shiftKey || target.closest("form, dialog, [role=menu]")) return;
    const row = this.#rowOf(target);
    const messages = this.#messages;
    const step = STEPS[key] && messages[messages.indexOf(row) + STEPS[key]];
    const next = isEscape(event) ? target !== row && row : step ?? messages.at(ENDS[key] ?? messages.length);
    if (!next) return;
    event.preventDefault();
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }

  #follow(target) {
    const row = this.#rowOf(target);
    this.#hasFocus = row !== null;
    if (row) this.#make(row);
  }

  #rowOf(element) {
    return element.closest("[data-rows] > li");
  }

  /** Rows come, go and are replaced by what they say now: the one in use stays the one in use. */
  #tidy(changes) {
    for (const { target, addedNodes } of changes) {
      const touched = target === this.#rows ? addedNodes : [this.#rowOf(target)];
      for (const row of touched) if (row?.matches?.("li") && row !== this.#current) this.#close(row);
    }
    if (!this.#current || !this.#hasFocus) this.#make(this.#messages.at(-1));
    else if (!this.#current.isConnected) this.#stay();
    else this.#open(this.#current);
  }

  #stay() {
    const { position } = this.#current.dataset;
    const row = this.#rows.querySelector(`[data-position="${position}"]`) ?? this.#messages.at(-1);
    this.#make(row);
    if (document.activeElement === document.body) row?.focus({ preventScroll: true });
  }

  #make(row) {
    if (row === this.#current) return;
    if (this.#current) this.#close(this.#current);
    this.#current = row;
    if (row) this.#open(row);
  }

  #open(row) {
    row.tabIndex = 0;
    for (const each of row.querySelectorAll(INSIDE)) each.tabIndex = 0;
  }

  #close(row) {
    row.tabIndex = -1;
    for (const each of row.querySelectorAll(INSIDE)) each.tabIndex = -1;
  }
}
