import { sentence } from "../lib/part.js";
import { Scroller } from "../lib/scroller.js";

/** `<message-scroller>`: the box in which the messages scroll, and the button that leads back to its end. */
class MessageScroller extends HTMLElement {
  #scroller;
  #missed = 0;

  connectedCallback() {
    this.#scroller = new Scroller(this.box);
    this.box.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#button.addEventListener("click", () => this.toEnd());
  }

  get box() {
    return this.querySelector("[data-scroller]");
  }

  get isAtEnd() {
    return this.#scroller.isAtEnd;
  }

  toEnd() {
    this.#scroller.toEnd();
    this.#scrolled();
  }

  /** Change the rows without moving what is being read. */
  hold(rows, change) {
    this.#scroller.hold(rows, change);
  }

  /** Somebody wrote below what is in view. */
  miss() {
    this.#missed += 1;
    this.#show();
  }

  get #button() {
    return this.querySelector("[data-jump]");
  }

  #scrolled() {
    if (this.isAtEnd) this.#missed = 0;
    this.#show();
    this.dispatchEvent(new CustomEvent("view-moved", { bubbles: true }));
  }

  #show() {
    this.#button.hidden = this.isAtEnd;
    this.#button.classList.toggle("messages__new--plain", this.#missed === 0);
    const text = this.#missed ? sentence(this.dataset.new, { count: this.#missed }) : "";
    this.querySelector("[data-jump-text]").textContent = text;
  }
}

customElements.define("message-scroller", MessageScroller);
