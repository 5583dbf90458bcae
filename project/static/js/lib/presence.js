const SETTLING = 8_000; // milliseconds: somewhat longer than it takes others to reconnect, too

/**
 * Who is here. After a reconnect, perhaps everybody's, people come back one by one: for a while nobody is taken away,
 * so that a restart of the server is not seen as a room that empties and fills.
 */
export class Presence {
  #show;
  #shown = { count: 0, here: new Set() };
  #latest = null;
  #timer = null;

  /** @param {(state: {count: number, here: Set<number>}) => void} show */
  constructor(show) {
    this.#show = show;
  }

  reconnected() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#settle(), SETTLING);
  }

  /** @param {{count: number, here: number[]}} frame - `here` names some of them when there are very many */
  take({ count, here }) {
    this.#latest = { count, here: new Set(here) };
    this.#update(this.#timer === null ? this.#latest : this.#joined());
  }

  #settle() {
    this.#timer = null;
    if (this.#latest) this.#update(this.#latest);
  }

  #joined() {
    const here = new Set([...this.#shown.here, ...this.#latest.here]);
    return { count: Math.max(this.#shown.count, this.#latest.count), here };
  }

  #update(state) {
    this.#shown = state;
    this.#show(state);
  }
}
