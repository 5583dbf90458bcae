import { post } from "./http.js";

const REST = 1_500; // milliseconds

/** Tells the server how far the person has read: forward only, and not at every row. */
export class ReadMarker {
  #url;
  #told;
  #seen;
  #timer = null;
  #isStopped = false;

  constructor(url, position) {
    this.#url = url;
    this.#told = this.#seen = position;
  }

  get position() {
    return this.#seen;
  }

  see(position) {
    this.#seen = Math.max(this.#seen, position);
    if (this.#timer === null) this.#tell();
  }

  /** Another tab or device has told it. */
  hear(position) {
    this.#told = Math.max(this.#told, position);
    this.#seen = Math.max(this.#seen, position);
  }

  /** The person has said what is unread: what they happen to see does not change it, while the page is open. */
  stop() {
    this.#isStopped = true;
  }

  #tell() {
    if (this.#seen <= this.#told || this.#isStopped) return;
    const position = this.#seen;
    this.#timer = setTimeout(() => this.#rested(position), REST);
    // A failure is not a person's business, and nothing to be repeated for ever: the next look tells it again.
    post(this.#url, { position }, { keepalive: true }).then(() => (this.#told = position)).catch(() => {});
  }

  #rested(position) {
    this.#timer = null;
    if (this.#seen > position) this.#tell();
  }
}
