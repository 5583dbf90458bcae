import { sentence } from "../lib/part.js";

const STEP = 250; // milliseconds

/** `<send-pause>` counts down while the server wants to hear nothing. Screen readers are told once, not every second. */
class SendPause extends HTMLElement {
  #until = 0;
  #timer = null;

  disconnectedCallback() {
    clearInterval(this.#timer);
  }

  begin(milliseconds) {
    this.#until = Date.now() + milliseconds;
    this.querySelector("[data-told]").textContent = this.#sentence();
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#show(), STEP);
    this.#show();
  }

  end() {
    clearInterval(this.#timer);
    this.hidden = true;
    this.querySelector("[data-told]").textContent = "";
  }

  #show() {
    if (Date.now() >= this.#until) return this.end();
    this.hidden = false;
    this.querySelector("[data-shown]").textContent = this.#sentence();
  }

  #sentence() {
    return sentence(this.dataset.pattern, { seconds: Math.ceil((this.#until - Date.now()) / 1_000) });
  }
}

customElements.define("send-pause", SendPause);
