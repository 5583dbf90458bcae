import { rowsFrom } from "../lib/html.js";
import { getRows } from "../lib/http.js";

const AHEAD = "600px";
const PAGE = 50;
const JUMP_PAGE = 100;
const JUMP_PAGES = 10;

/** `<older-messages>`: the link to the page before. Alive, it loads that page when it comes near, as `history` events. */
class OlderMessages extends HTMLElement {
  #isBusy = false;
  #observer;

  connectedCallback() {
    this.addEventListener("click", this);
  }

  disconnectedCallback() {
    this.#observer?.disconnect();
  }

  handleEvent(event) {
    event.preventDefault();
    this.load();
  }

  /** Load by itself from now on. */
  begin(scroller) {
    const seen = ([entry]) => entry.isIntersecting && this.load();
    this.#observer = new IntersectionObserver(seen, { root: scroller, rootMargin: `${AHEAD} 0px 0px 0px` });
    this.#observer.observe(this);
  }

  async load(limit = PAGE) {
    if (this.#isBusy || this.hidden) return;
    this.#isBusy = true;
    try {
      const url = this.closest("earshot-room").dataset.messagesUrl;
      const { html, hasMore } = await getRows(`${url}?before=${this.dataset.before}&limit=${limit}`);
      this.#give(rowsFrom(html), hasMore);
      this.#lookAgain();
    } catch {
      // The link stays, and can be pressed again.
    } finally {
      this.#isBusy = false;
    }
  }

  /** Load back to a position, if it is not too far. */
  async reach(position) {
    for (let page = 0; page < JUMP_PAGES && !this.hidden && position < Number(this.dataset.before); page += 1) {
      await this.load(JUMP_PAGE);
    }
  }

  /** Go on before a position, if there is one: what stands above it has been put away. */
  startFrom(position) {
    if (position === null) return;
    this.dataset.before = position;
    this.querySelector("a").search = `?before=${position}`;
    this.hidden = false;
  }

  /** An observer speaks of changes only, and a short page leaves the link in view. */
  #lookAgain() {
    this.#observer?.unobserve(this);
    this.#observer?.observe(this);
  }

  #give(rows, hasMore) {
    if (rows.length) this.startFrom(rows[0].dataset.position);
    this.hidden = !hasMore || !rows.length;
    this.dispatchEvent(new CustomEvent("history", { bubbles: true, detail: { rows, hasMore } }));
  }
}

customElements.define("older-messages", OlderMessages);
