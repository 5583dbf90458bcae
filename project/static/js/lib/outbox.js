import { Backoff, pause } from "./backoff.js";
import { entrust, withdraw } from "./background.js";
import { Refusal, post } from "./http.js";
import { isIncomplete } from "./pending-files.js";
import { keep, recall } from "./storage.js";
import { uuid } from "./uuid.js";

/**
 * Messages on their way out, one after the other, so that they arrive in the order they were written in.
 *
 * Each keeps its `clientId` until it is acknowledged or discarded, also over a reload: the server stores one only once,
 * however often it is sent. Every change is told: `sending`, `waiting` (will be tried again), `failed` (with a reason).
 * Several tabs may have the same room open: what is kept is changed entry by entry, so that none forgets another's.
 */
export class Outbox {
  #key;
  #url;
  #on;
  #entries;
  #backoff = new Backoff();
  #isBusy = false;
  #wake = () => {};

  /** @param {{key: string, url: string, onState: Function, onSent: Function, onInvalid: Function, onSlowed: Function}} */
  constructor({ key, url, ...on }) {
    this.#key = key;
    this.#url = url;
    this.#on = on;
    this.#entries = recall(key) ?? [];
  }

  get entries() {
    return [...this.#entries];
  }

  /**
   * `quote` is what it answers, `files` are described as the server does; one without an `id` is still on its way.
   * @param {{text: string, quote: {id: string}|null, files: object[]}} message
   */
  add({ text, quote, files = [] }) {
    const entry = { clientId: uuid(), text, quote, files, at: new Date().toISOString() };
    this.#entries.push(entry);
    keep(this.#key, [...this.#kept, entry]);
    this.#leave(entry);
    return entry;
  }

  discard(clientId) {
    const others = ({ clientId: each }) => each !== clientId;
    this.#entries = this.#entries.filter(others);
    keep(this.#key, this.#kept.filter(others));
    withdraw(clientId);
    this.#wake();
  }

  find(clientId) {
    return this.#entries.find((each) => each.clientId === clientId);
  }

  retry(clientId) {
    const entry = this.find(clientId);
    if (entry) this.#change(entry, { reason: undefined });
    this.hurry();
  }

  /** Say what a message's files have become; with the last of them it can be sent. */
  describe(clientId, files) {
    const entry = this.find(clientId);
    if (!entry) return;
    this.#change(entry, { files });
    this.#leave(entry);
    this.hurry();
  }

  /** Hold a message back, for a reason. */
  fail(clientId, reason) {
    const entry = this.find(clientId);
    if (entry) this.#change(entry, { reason });
    if (entry) this.#on.onState(entry, "failed");
  }

  /** Send what waits, now: at the start, at a new entry, and when the server can be reached again. */
  async hurry() {
    this.#wake();
    if (this.#isBusy) return;
    this.#isBusy = true;
    for (let entry = this.#next(); entry; entry = this.#next()) await this.#send(entry);
    this.#isBusy = false;
  }

  /** What comes behind another one is left with the service worker, should the page not come to it. */
  #leave(entry) {
    if (this.#isBusy && canBeSent(entry)) entrust(this.#url, fieldsOf(entry));
  }

  get #kept() {
    return recall(this.#key) ?? [];
  }

  #next() {
    return this.#entries.find(canBeSent);
  }

  async #send(entry) {
    this.#on.onState(entry, "sending");
    try {
      const message = await post(this.#url, fieldsOf(entry));
      this.#backoff.reset();
      this.discard(entry.clientId);
      this.#on.onSent(entry, message);
    } catch (error) {
      await this.#failed(entry, error);
    }
  }

  async #failed(entry, error) {
    if (error.isTooOften) {
      this.#on.onState(entry, "waiting");
      this.#on.onSlowed(error.retryAfter);
      await pause(error.retryAfter);
    } else if (!(error instanceof Refusal) || error.isPassing) {
      this.#on.onState(entry, "waiting");
      for (const each of this.#entries.filter(canBeSent)) entrust(this.#url, fieldsOf(each));
      await this.#rest(error.retryAfter ?? this.#backoff.next());
    } else if (error.status !== 400 || !this.#on.onInvalid(entry, error.message)) this.fail(entry.clientId, error.message);
  }

  /** Wait, unless there is a reason to hurry. */
  #rest(milliseconds) {
    return Promise.race([pause(milliseconds), new Promise((resolve) => (this.#wake = resolve))]);
  }

  #change(entry, values) {
    Object.assign(entry, values);
    keep(this.#key, this.#kept.map((kept) => (kept.clientId === entry.clientId ? entry : kept)));
  }
}

function canBeSent(entry) {
  return entry.reason === undefined && !isIncomplete(entry);
}

function fieldsOf({ text, clientId, quote, files }) {
  const attachments = (files ?? []).map(({ id }) => id).join(",");
  return { text, client_id: clientId, ...(quote && { reply_to: quote.id }), ...(attachments && { attachments }) };
}
