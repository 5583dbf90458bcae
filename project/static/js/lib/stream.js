import { Backoff } from "./backoff.js";
import { streamStatus } from "./http.js";

const SILENCE = 50_000; // milliseconds: a ping comes every 20 s, so after this the connection is dead
const DURABLE = [
  "message_created", "message_edited", "message_deleted",
  "membership_added", "membership_changed", "membership_removed", "room_changed",
];
const HINTS = ["unread"]; // of the moment: they have no position, and are not sent again

/**
 * A room's events, each once and in order, whatever the network does.
 *
 * A native EventSource resumes after a broken connection but gives up for good on any answer that is not a stream
 * (a proxy's 502 during a deploy), and does not notice a connection that has died silently. Both are seen to here.
 * States: `live`, `away` (trying), `signed-out`, `removed`, `replaced` (these three are final until `resume`).
 */
export class RoomStream {
  #url;
  #epoch;
  #cursor;
  #on;
  #source = null;
  #backoff = new Backoff();
  #failures = 0;
  #heardAt = 0;
  #gapAfter = null;
  #timer;
  #watchdog;

  /** @param {{url: string, cursor: number, epoch: string, onEvent: Function, onReset: Function, onState: Function}} */
  constructor({ url, cursor, epoch, onEvent, onReset, onState }) {
    this.#url = url;
    this.#cursor = cursor;
    this.#epoch = epoch;
    this.#on = { event: onEvent, reset: onReset, state: onState };
  }

  /** Connect, or make sure of the connection after the page was asleep or offline. */
  resume() {
    const isFresh = this.#source?.readyState === EventSource.OPEN && Date.now() - this.#heardAt < SILENCE / 2;
    if (isFresh) return this.#on.state("live");
    this.#backoff.reset();
    this.#open();
  }

  pause() {
    this.#close();
  }

  #open() {
    this.#close();
    const source = new EventSource(this.#address());
    this.#source = source;
    this.#heard();
    source.addEventListener("open", () => this.#opened());
    source.addEventListener("error", () => this.#lost());
    source.addEventListener("ping", () => this.#heard());
    source.addEventListener("reset", () => this.#end(() => this.#on.reset()));
    source.addEventListener("replaced", () => this.#end(() => this.#on.state("replaced")));
    source.addEventListener("revoked", () => this.#end(() => this.#learnWhy("removed")));
    source.addEventListener("bye", () => this.#heard());
    for (const name of DURABLE) source.addEventListener(name, (event) => this.#receive(name, event));
    for (const name of HINTS) source.addEventListener(name, ({ data }) => this.#on.event(name, JSON.parse(data)));
  }

  #address() {
    const query = new URLSearchParams({ format: "html", after: this.#cursor, epoch: this.#epoch });
    return `${this.#url}?${query}`;
  }

  #close() {
    clearTimeout(this.#timer);
    clearTimeout(this.#watchdog);
    this.#source?.close();
    this.#source = null;
  }

  #end(then) {
    this.#close();
    then();
  }

  #opened() {
    this.#heard();
    this.#failures = 0;
    this.#backoff.reset();
    this.#on.state("live");
  }

  #heard() {
    this.#heardAt = Date.now();
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => this.#lostSilently(), SILENCE);
  }

  #lostSilently() {
    this.#on.state("away");
    this.#open();
  }

  #lost() {
    this.#on.state("away");
    if (this.#source?.readyState !== EventSource.CLOSED) return; // the browser reconnects by itself, from its last id
    this.#close();
    this.#failures += 1;
    if (this.#failures > 1) this.#learnWhy(null);
    else this.#again();
  }

  #again() {
    this.#timer = setTimeout(() => this.#open(), this.#backoff.next());
  }

  /** Ask why there is no stream: try again, unless the answer says that there is none to be had. */
  async #learnWhy(otherwise) {
    const status = await streamStatus(this.#address());
    if (this.#source) return; // resumed meanwhile
    if (status === 401) this.#on.state("signed-out");
    else if ([204, 403, 404].includes(status)) this.#on.state("removed");
    else if (otherwise && status === 0) this.#on.state(otherwise);
    else this.#again();
  }

  #receive(name, event) {
    this.#heard();
    const data = JSON.parse(event.data);
    if (data.position <= this.#cursor) return;
    if (this.#hasGap(data.position)) {
      this.#open();
      return;
    }
    this.#cursor = data.position;
    this.#on.event(name, data);
  }

  /** Positions have no gaps, so one that is skipped was lost: ask again, once (a kind unknown to this page skips too). */
  #hasGap(position) {
    if (position === this.#cursor + 1 || this.#gapAfter === this.#cursor) return false;
    this.#gapAfter = this.#cursor;
    return true;
  }
}
