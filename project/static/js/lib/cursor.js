/** How far into a room's log this page has come. */
export class Cursor {
  #position;
  #epoch;
  #gapAfter = null;

  constructor(position, epoch) {
    this.#position = position;
    this.#epoch = epoch;
  }

  /** Return the address of a stream that goes on from here. */
  address(url) {
    return `${url}?${new URLSearchParams({ format: "html", after: this.#position, epoch: this.#epoch })}`;
  }

  /** Whether an event has been taken in already. */
  isPast(position) {
    return position <= this.#position;
  }

  /** Positions have no gaps, so one that is skipped was lost: ask again, once (a kind unknown to this page skips too). */
  isCutOff(position) {
    if (position === this.#position + 1 || this.#gapAfter === this.#position) return false;
    this.#gapAfter = this.#position;
    return true;
  }

  move(position) {
    this.#position = position;
  }
}
