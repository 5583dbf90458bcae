import { post } from "./http.js";

const REST = 1_500; // milliseconds

/** Tells the server how far the person has read: forward only, and not at every row. */
export class ReadMarker {
  #url;
  #told;
  #seen;
  #timer = null;

  constructor(url, position) {
    this.#url = url;
    this.#told = this.#seen = position;
  }

  see(position) {
    this.#seen = Math.max(this.#seen, position);
    if (this.#seen > this.#told) this.#timer ??= setTimeout(() => this.#tell(), REST);
  }

  async #tell() {
    const position = this.#seen;
    try {
      await post(this.#url, { position }, { keepalive: true });
      this.#told = position;
    } catch {
      // The next row that is seen tells it again.
    } finally {
      this.#timer = null;
    }
  }
}
