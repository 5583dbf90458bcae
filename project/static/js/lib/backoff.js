const FIRST = 500; // milliseconds
const LONGEST = 8_000;

/** How long to wait before trying again: twice as long each time, and never the same for everybody. */
export class Backoff {
  #tries = 0;

  next() {
    const full = Math.min(LONGEST, FIRST * 2 ** this.#tries);
    this.#tries += 1;
    return full * (0.5 + Math.random() / 2);
  }

  reset() {
    this.#tries = 0;
  }
}
