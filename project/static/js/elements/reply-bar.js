import { quoteElement } from "../lib/quotes.js";
import { keep, recall } from "../lib/storage.js";

/** `<reply-bar>`: the message that the next one answers, above the composer. Like a draft it survives a reload. */
class ReplyBar extends HTMLElement {
  #key;
  #quote = null;

  begin(key) {
    this.#key = key;
    this.querySelector("[data-do=cancel]").addEventListener("click", () => this.cancel());
    this.show(recall(key));
  }

  get isEmpty() {
    return this.#quote === null;
  }

  /** @param {{id: string, position: string, author: string, text: string}|null} quote */
  show(quote) {
    this.#quote = quote;
    keep(this.#key, quote);
    this.hidden = quote === null;
    this.querySelector("[data-quote]").replaceChildren(...(quote ? [quoteElement(quote)] : []));
  }

  /** Return the quote, or null, and forget it. */
  take() {
    const quote = this.#quote;
    this.show(null);
    return quote;
  }

  cancel() {
    if (this.#quote === null) return;
    this.show(null);
    this.dispatchEvent(new CustomEvent("reply-cancelled", { bubbles: true }));
  }
}

customElements.define("reply-bar", ReplyBar);
