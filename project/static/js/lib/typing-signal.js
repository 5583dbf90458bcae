import { post } from "./http.js";

const REST = 3_000; // milliseconds

/** Tells the room that its viewer is typing: now and then, and never twice for one telling that fails. */
export class TypingSignal {
  #url;
  #toldAt = -REST;

  constructor(url) {
    this.#url = url;
  }

  tell() {
    const now = performance.now();
    if (now - this.#toldAt < REST || !navigator.onLine) return;
    this.#toldAt = now;
    post(this.#url, {}).catch(() => {});
  }
}
