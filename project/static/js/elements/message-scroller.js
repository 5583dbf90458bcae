import { sentence } from "../lib/part.js";
import { Scroller } from "../lib/scroller.js";
import { dayHeading } from "../lib/times.js";

/** `<message-scroller>`: the box in which the messages scroll, the day on top of it, and the way back to its end. */
class MessageScroller extends HTMLElement {
  #scroller;
  #missed = Number(this.dataset.waiting);

  connectedCallback() {
    this.#scroller = new Scroller(this.box, this.querySelector("[data-rows]"));
    this.box.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#button.addEventListener("click", () => this.toEnd());
  }

  get box() {
    return this.querySelector("[data-scroller]");
  }

  get isAtEnd() {
    return this.#scroller.isAtEnd;
  }

  /** The last row that has been in view to its end. */
  get lastSeen() {
    return this.#scroller.last;
  }

  /** Say whether the rows reach to the room's end. */
  follow(follows) {
    this.#scroller.follows = follows;
    this.#scrolled();
  }

  toEnd() {
    if (!this.#scroller.follows) return this.dispatchEvent(new CustomEvent("to-latest", { bubbles: true }));
    this.#scroller.toEnd();
    this.#scrolled();
  }

  reveal(row) {
    this.#scroller.reveal(row);
    this.#scrolled();
  }

  /** Change the rows without moving what is being read, or one row in particular. */
  hold(change, row) {
    this.#scroller.hold(change, row);
    this.#showDay();
  }

  /** Somebody wrote below what is in view. */
  miss() {
    this.#missed += 1;
    this.#show();
  }

  /** All that waits below has been read elsewhere. */
  missNothing() {
    this.#missed = 0;
    this.#show();
  }

  get #newest() {
    return [...this.querySelectorAll("[data-rows] > .message")].at(-1);
  }

  get #button() {
    return this.querySelector("[data-jump]");
  }

  #scrolled() {
    if (this.isAtEnd) this.#missed = 0;
    this.#show();
    this.#showDay();
    this.dispatchEvent(new CustomEvent("view-moved", { bubbles: true }));
  }

  #show() {
    // The button goes as it is used, and would take the keyboard's focus along.
    if (this.isAtEnd && this.#button.matches(":focus-visible")) this.#newest?.focus({ preventScroll: true });
    this.#button.hidden = this.isAtEnd;
    this.#button.classList.toggle("messages__new--plain", this.#missed === 0);
    const text = this.#missed ? sentence(this.dataset.new, { count: this.#missed }) : "";
    this.querySelector("[data-jump-text]").textContent = text;
  }

  /** The day of the first row in view, unless its own heading shows it. */
  #showDay() {
    const { first } = this.#scroller;
    const day = this.querySelector("[data-day]");
    const heading = first?.querySelector(":scope > .day");
    const top = this.box.getBoundingClientRect().top;
    day.hidden = !first || (heading && heading.getBoundingClientRect().top >= top - heading.offsetHeight);
    if (!day.hidden) day.textContent = dayHeading(new Date(first.dataset.createdAt));
  }
}

customElements.define("message-scroller", MessageScroller);
