const FIRST = 500; // milliseconds
const LONGEST = 8_000;
const LONGEST_RETRY = 60_000; // that any server asks for

/** Return a promise that is kept in so many milliseconds. */
export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** How long to wait before trying again: twice as long each time, and never the same for everybody. */
export class Backoff {
  /** The longest that this server has any browser wait before it reconnects: the more streams it has, the longer. */
  longestRetry = LONGEST_RETRY;

  #longest = LONGEST;
  #tries = 0;

  next() {
    const full = Math.min(this.#longest, FIRST * 2 ** this.#tries);
    this.#tries += 1;
    return full * (0.5 + Math.random() / 2);
  }

  /** Keep to what the server asks of all browsers: whoever tries by themselves adds to the same crowd. */
  heed({ longest_retry: longestRetry }) {
    this.longestRetry = longestRetry;
    this.#longest = Math.max(LONGEST, longestRetry);
  }

  reset() {
    this.#tries = 0;
  }
}
