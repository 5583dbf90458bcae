import { Backoff } from "./backoff.js";
import { Refusal, post } from "./http.js";
import { keep, recall } from "./storage.js";
import { uuid } from "./uuid.js";

/**
 * Messages on their way out, one after the other, so that they arrive in the order they were written in.
 *
 * Each keeps its `clientId` until it is acknowledged or discarded, also over a reload: the server stores one only once,
 * however often it is sent. Every change is told: `sending`, `waiting` (will be tried again), `failed` (with a reason).
 */
export class Outbox {
  #key;
  #url;
  #on;
  #entries;
  #backoff = new Backoff();
  #isBusy = false;
  #wake = () => {};

  /** @param {{key: string, url: string, onState: Function, onSent: Function, onInvalid: Function}} */
  constructor({ key, url, onState, onSent, onInvalid }) {
    this.#key = key;
    this.#url = url;
    this.#on = { state: onState, sent: onSent, invalid: onInvalid };
    this.#entries = recall(key) ?? [];
  }

  get entries() {
    return [...this.#entries];
  }

  add(text) {
    const entry = { clientId: uuid(), text, at: new Date().toISOString() };
    this.#keep([...this.#entries, entry]);
    return entry;
  }

  discard(clientId) {
    this.#keep(this.#entries.filter((entry) => entry.clientId !== clientId));
    this.#wake();
  }

  retry(clientId) {
    const entry = this.#entries.find((each) => each.clientId === clientId);
    if (entry) delete entry.reason;
    this.#keep(this.#entries);
    this.hurry();
  }

  /** Send what waits, now: at the start, at a new entry, and when the server can be reached again. */
  async hurry() {
    this.#wake();
    if (this.#isBusy) return;
    this.#isBusy = true;
    for (let entry = this.#next(); entry; entry = this.#next()) await this.#send(entry);
    this.#isBusy = false;
  }

  #next() {
    return this.#entries.find((entry) => entry.reason === undefined);
  }

  async #send(entry) {
    this.#on.state(entry, "sending");
    try {
      const message = await post(this.#url, { text: entry.text, client_id: entry.clientId });
      this.#backoff.reset();
      this.discard(entry.clientId);
      this.#on.sent(entry, message);
    } catch (error) {
      await this.#failed(entry, error);
    }
  }

  async #failed(entry, error) {
    if (!(error instanceof Refusal) || error.isPassing) {
      this.#on.state(entry, "waiting");
      await this.#pause(error.retryAfter ?? this.#backoff.next());
    } else if (error.status === 400) {
      this.discard(entry.clientId);
      this.#on.invalid(entry, error.message);
    } else {
      entry.reason = error.message;
      this.#keep(this.#entries);
      this.#on.state(entry, "failed");
    }
  }

  #pause(milliseconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #keep(entries) {
    this.#entries = entries;
    keep(this.#key, entries);
  }
}
