import { announce } from "../lib/announcing.js";
import { Answering } from "../lib/answering.js";
import { Attention } from "../lib/attention.js";
import { Company } from "../lib/company.js";
import { History } from "../lib/history.js";
import { PageTitle } from "../lib/page-title.js";
import { Pins } from "../lib/pins.js";
import { listen } from "../lib/prose.js";
import { RoomEvents } from "../lib/room-events.js";
import { Sending } from "../lib/sending.js";
import { mayDo } from "../lib/storage.js";
import { RoomStream } from "../lib/stream.js";
import { TabTurn } from "../lib/tab-turn.js";
import { Target } from "../lib/target.js";
import { TypingSignal } from "../lib/typing-signal.js";

const RESET_REST = 30_000; // milliseconds between two reloads that the server asked for
const CLOSED = ["signed-out", "removed"]; // states in which nothing can be sent

/** `<earshot-room>` joins the room's parts: what the stream brings goes to them, what they ask for goes to the server. */
class EarshotRoom extends HTMLElement {
  #sending;
  #stream;
  #attention;
  #company;
  #history;
  #pins;
  #isLive = false;
  #isFull = false;
  #title = new PageTitle();
  #gone = new AbortController();

  connectedCallback() {
    const { viewer, lastRead, position } = this.dataset;
    const rights = { moderates: "moderates" in this.dataset, writes: this.#composer !== null, reacts: "reacts" in this.dataset, pins: "pins" in this.dataset, isMember: "member" in this.dataset };
    this.#list.begin({ id: viewer, ...rights, lastRead: lastRead && Number(lastRead), position: Number(position) });
    this.#history = new History(this, { list: this.#list, scroller: this.#scroller });
    new Answering(this);
    this.#pins = new Pins(this);
    const target = new Target({ list: this.#list, scroller: this.#scroller, history: this.#history });
    listen(this, this.#scroller);
    target.listen(this, this.#gone.signal);
    this.addEventListener("link-copied", () => announce(this.#list.dataset.copied));
    this.addEventListener("announce", ({ detail }) => announce(detail));
    const opened = target.open();
    if ("member" in this.dataset) this.#takePart(opened);
  }

  disconnectedCallback() {
    this.#gone.abort();
    this.#stream?.pause();
  }

  get #list() {
    return this.querySelector("message-list");
  }

  get #scroller() {
    return this.querySelector("message-scroller");
  }

  get #composer() {
    return this.querySelector("message-composer");
  }

  /** @param {Promise} opened - kept once it is seen what the page was opened for, which may be long in coming */
  #takePart(opened) {
    const signal = this.#gone.signal;
    const { readUrl, unreadUrl, lastRead, streamUrl, typingUrl, position, epoch } = this.dataset;
    const parts = { list: this.#list, scroller: this.#scroller, composer: this.#composer, history: this.#history, title: this.#title };
    this.#attention = new Attention({ ...parts, readUrl, unreadUrl, lastRead: Number(lastRead) });
    this.#sending = new Sending(this, parts);
    this.#company = new Company(this);
    const events = new RoomEvents(this, { ...parts, attention: this.#attention, sending: this.#sending, company: this.#company, pins: this.#pins });
    this.#stream = new RoomStream({
      url: streamUrl,
      cursor: Number(position),
      epoch,
      onEvent: (name, data) => this.#hear(name, data, events),
      onReset: () => this.#reload(),
      onState: (state) => this.#connected(state),
    });
    this.addEventListener("reconnect", () => this.#stream.resume());
    this.addEventListener("mark-unread", ({ detail }) => this.#attention.markUnread(detail));
    this.addEventListener("edit-last", () => this.#list.editLast());
    this.addEventListener("reply", ({ detail }) => this.#composer.reply(detail));
    const typing = new TypingSignal(typingUrl);
    this.addEventListener("typing", () => this.#isLive && typing.tell());
    this.addEventListener("message-changed", ({ detail }) => this.#list.show(detail));
    window.addEventListener("offline", () => this.#connected("away", { isSure: true }), { signal });
    opened.then(() => this.#attention.begin(signal));
    new TabTurn({
      onStart: () => this.#stream.resume(),
      onStop: () => this.#stream.pause(),
      onRestart: () => this.#stream.restart(),
    }).begin(signal);
  }

  #hear(name, data, events) {
    if (name === "full") this.#connected("full");
    else if (this.#isFull && name === "presence") this.#connected("live", { isSure: true });
    if (name !== "full") events.apply(name, data);
  }

  /** Without a place for a stream one opens all the same, brings what is new, and ends: no more than that is told by it. */
  #connected(state, { isSure = false } = {}) {
    if (this.#isFull && !isSure && ["live", "away"].includes(state)) return;
    this.#isFull = state === "full";
    this.querySelector("connection-state").show(state);
    this.#composer?.toggle(!CLOSED.includes(state));
    this.#isLive = state === "live";
    if (!this.#isLive) return;
    this.#attention.looked(); // what was read meanwhile could not be told
    this.#company.reconnected();
    this.#sending.hurry();
  }

  /** Too much has happened to catch up with: begin anew, but not for ever. */
  #reload() {
    if (mayDo(`reset:${this.dataset.slug}`, RESET_REST)) location.reload();
    else this.#connected("stale");
  }
}

customElements.define("earshot-room", EarshotRoom);
