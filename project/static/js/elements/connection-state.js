const PATIENCE = 1_500; // milliseconds: shorter breaks are nobody's business

/** `<connection-state>` says, in one of the page's own sentences, why the room is not live. */
class ConnectionState extends HTMLElement {
  #timer = null;

  connectedCallback() {
    this.addEventListener("click", this);
  }

  handleEvent({ target }) {
    if (target.closest("[data-reconnect]")) this.dispatchEvent(new CustomEvent("reconnect", { bubbles: true }));
  }

  /** @param {"live"|"away"|"signed-out"|"removed"|"replaced"|"stale"|"full"} state */
  show(state) {
    if (state === "away") {
      this.#timer ??= setTimeout(() => this.#reveal("away"), PATIENCE);
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#reveal(state);
  }

  #reveal(state) {
    this.dataset.state = state;
    for (const sentence of this.querySelectorAll("[data-when]")) sentence.hidden = sentence.dataset.when !== state;
  }
}

customElements.define("connection-state", ConnectionState);
