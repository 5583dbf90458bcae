import { Backoff } from "./backoff.js";
import { Cursor } from "./cursor.js";
import { streamStatus } from "./http.js";

const SILENCE = 50_000; // milliseconds: a ping comes every 20 s, so after this the connection is dead
const OPENING = 10_000; // the server answers sooner, if only to say that it can't
const DURABLE = [
  "message_created", "message_edited", "message_deleted", "message_pinned", "message_unpinned", "reaction_added", "reaction_removed",
  "membership_added", "membership_changed", "membership_removed", "room_changed", "room_deleted",
];
const HINTS = ["unread", "read", "typing", "presence", "rooms", "reports", "full"]; // of the moment: without a position

/**
 * A room's events, each once and in order, whatever the network does.
 *
 * A native EventSource resumes after a broken connection but gives up for good on any answer that is not a stream
 * (a proxy's 502 during a deploy), and does not notice a connection that has died silently. Both are seen to here.
 * States: `live`, `away` (trying), `signed-out`, `removed`, `replaced` (these three are final until `resume`).
 */
export class RoomStream {
  #url;
  #cursor;
  #on;
  #source = null;
  #turn = 0;
  #backoff = new Backoff();
  #failures = 0;
  #heardAt = 0;
  #timer;
  #watchdog;

  /** @param {{url: string, cursor: number, epoch: string, onEvent: Function, onReset: Function, onState: Function}} */
  constructor({ url, cursor, epoch, onEvent, onReset, onState }) {
    this.#url = url;
    this.#cursor = new Cursor(cursor, epoch);
    this.#on = { event: onEvent, reset: onReset, state: onState };
  }

  /** Connect, or make sure of the connection after the page was asleep. */
  resume() {
    const isFresh = this.#source?.readyState === EventSource.OPEN && Date.now() - this.#heardAt < SILENCE / 2;
    if (isFresh) this.#on.state("live");
    else this.restart();
  }

  /** Connect anew: after the network was away, nothing says that the old connection is still one. */
  restart() {
    this.#backoff.reset();
    this.#open();
  }

  /** Be still until `resume`. */
  pause() {
    this.#turn += 1;
    clearTimeout(this.#timer);
    clearTimeout(this.#watchdog);
    this.#source?.close();
    this.#source = null;
  }

  #open() {
    this.pause();
    const source = new EventSource(this.#cursor.address(this.#url));
    this.#source = source;
    this.#expect(OPENING);
    source.addEventListener("open", () => this.#opened());
    source.addEventListener("error", () => this.#lost());
    source.addEventListener("ping", ({ data }) => this.#proven(data));
    source.addEventListener("reset", () => this.#end(() => this.#on.reset()));
    source.addEventListener("replaced", () => this.#end(() => this.#on.state("replaced")));
    source.addEventListener("revoked", () => this.#end(() => this.#tryOnce()));
    source.addEventListener("bye", ({ data }) => this.#heard(data));
    for (const name of DURABLE) source.addEventListener(name, (event) => this.#receive(name, event));
    for (const name of HINTS) source.addEventListener(name, ({ data }) => this.#on.event(name, JSON.parse(data)));
  }

  #end(then) {
    this.pause();
    then();
  }

  #opened() {
    this.#failures = 0;
    this.#heard();
    this.#on.state("live");
  }

  #heard(told) {
    if (told) this.#backoff.heed(JSON.parse(told));
    this.#heardAt = Date.now();
    this.#expect(SILENCE);
  }

  /** Only now: a stream that ends as soon as it is opened, again and again, has made nothing better. */
  #proven(told) {
    this.#heard(told);
    this.#backoff.reset();
  }

  #expect(milliseconds) {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => this.#lostSilently(), milliseconds);
  }

  #lostSilently() {
    this.#on.state("away");
    this.#open();
  }

  #lost() {
    this.#on.state("away");
    // While the browser reconnects by itself, from its last id, it is only watched.
    if (this.#source?.readyState !== EventSource.CLOSED) return this.#expect(this.#backoff.longestRetry + OPENING);
    this.pause();
    this.#failures += 1;
    if (this.#failures > 1) this.#learnWhy();
    else this.#again();
  }

  #again() {
    this.#timer = setTimeout(() => this.#open(), this.#backoff.next());
  }

  /** The right to this stream has ended, perhaps with a session that another one has replaced: the server says. */
  #tryOnce() {
    this.#failures = 1;
    this.#again();
  }

  /** Ask why there is no stream: try again, unless the answer says that there is none to be had. */
  async #learnWhy() {
    const turn = this.#turn;
    const status = await streamStatus(this.#cursor.address(this.#url), OPENING);
    if (turn !== this.#turn) return; // resumed or paused meanwhile
    if (status === 401) this.#on.state("signed-out");
    else if ([204, 403, 404].includes(status)) this.#on.state("removed");
    else this.#again();
  }

  #receive(name, event) {
    this.#proven();
    const data = JSON.parse(event.data);
    if (this.#cursor.isPast(data.position)) return;
    if (this.#cursor.isCutOff(data.position)) return this.#open();
    this.#cursor.move(data.position);
    this.#on.event(name, data);
  }
}
