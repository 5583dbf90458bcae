import { announce } from "../lib/announcing.js";
import { Answering } from "../lib/answering.js";
import { Attention } from "../lib/attention.js";
import { Company } from "../lib/company.js";
import { showHeading } from "../lib/heading.js";
import { History } from "../lib/history.js";
import { textOf } from "../lib/html.js";
import { PageTitle } from "../lib/page-title.js";
import { sentence } from "../lib/part.js";
import { listen } from "../lib/prose.js";
import { Sending } from "../lib/sending.js";
import { forget, noteMentions, noteUnread, otherRooms } from "../lib/sidebar.js";
import { mayDo } from "../lib/storage.js";
import { RoomStream } from "../lib/stream.js";
import { TabTurn } from "../lib/tab-turn.js";
import { Target } from "../lib/target.js";
import { TypingSignal } from "../lib/typing-signal.js";

const RESET_REST = 30_000; // milliseconds between two reloads that the server asked for
const ANNOUNCED = 200; // characters
const CLOSED = ["signed-out", "removed"]; // states in which nothing can be sent

/** `<earshot-room>` joins the room's parts: what the stream brings goes to them, what they ask for goes to the server. */
class EarshotRoom extends HTMLElement {
  #sending;
  #stream;
  #attention;
  #company;
  #history;
  #isLive = false;
  #title = new PageTitle();
  #gone = new AbortController();

  connectedCallback() {
    const { viewer, lastRead, position } = this.dataset;
    const rights = { moderates: "moderates" in this.dataset, writes: this.#composer !== null, reacts: "reacts" in this.dataset, isMember: "member" in this.dataset };
    this.#list.begin({ id: viewer, ...rights, lastRead: lastRead && Number(lastRead), position: Number(position) });
    this.#history = new History(this, { list: this.#list, scroller: this.#scroller });
    new Answering(this);
    const target = new Target({ list: this.#list, scroller: this.#scroller, history: this.#history });
    listen(this, this.#scroller);
    target.listen(this, this.#gone.signal);
    this.addEventListener("link-copied", () => announce(this.#list.dataset.copied));
    this.addEventListener("announce", ({ detail }) => announce(detail));
    target.open().finally(() => "member" in this.dataset && this.#takePart());
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

  #takePart() {
    const signal = this.#gone.signal;
    const { readUrl, unreadUrl, lastRead, streamUrl, typingUrl, position, epoch } = this.dataset;
    const parts = { list: this.#list, scroller: this.#scroller, composer: this.#composer, title: this.#title };
    this.#attention = new Attention({ ...parts, history: this.#history, readUrl, unreadUrl, lastRead: Number(lastRead) });
    this.#sending = new Sending(this, parts);
    this.#company = new Company(this);
    this.#stream = new RoomStream({
      url: streamUrl,
      cursor: Number(position),
      epoch,
      onEvent: (name, data) => this.#apply(name, data),
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
    window.addEventListener("offline", () => this.#connected("away"), { signal });
    this.#attention.begin(signal);
    new TabTurn({
      onStart: () => this.#stream.resume(),
      onStop: () => this.#stream.pause(),
      onRestart: () => this.#stream.restart(),
    }).begin(signal);
  }

  #connected(state) {
    this.querySelector("connection-state").show(state);
    this.#composer?.toggle(!CLOSED.includes(state));
    this.#isLive = state === "live";
    if (!this.#isLive) return;
    this.#company.reconnected();
    this.#sending.hurry();
  }

  #apply(name, data) {
    if (name === "message_created") this.#receive(data);
    else if (data.message) this.#list.revise(data.message, data.row);
    else if (data.message === null) return; // about what was said before this member joined
    else if (name === "unread" || name === "read") this.#note(data);
    else if (name === "membership_changed" && String(data.member?.id) === this.dataset.viewer) location.reload();
    else if (name === "room_changed") this.#change(data.state);
    else if (name === "rooms") forget(data.gone);
    else if (name !== "room_deleted") this.#company.apply(name, data); // that was before it was restored
    if (data.row && !data.message) this.#history.receive(data.position, () => this.#list.run.receiveNotice(data.row));
  }

  #note({ rooms, whole, mentions = {}, room, position, unread }) {
    if (whole) noteUnread(otherRooms(this.dataset.slug), false);
    noteUnread(rooms?.filter((slug) => slug !== this.dataset.slug) ?? [room], rooms || unread);
    noteMentions(mentions);
    if (room === this.dataset.slug) this.#attention.hear(position);
    this.#title.show();
  }

  #receive({ message, row }) {
    const isOwn = String(message.author?.id) === this.dataset.viewer;
    if (!this.#history.isLive) this.#list.forget(message.client_id);
    const isNew = this.#history.receive(message.position, () => this.#list.receive(message, row));
    this.#company.wrote(message.author);
    if (isOwn) this.#sending.arrived(message.client_id);
    else if (isNew && !message.deleted_at && !this.#ignores(message.author)) this.#notice(message);
    this.#attention.looked();
  }

  #ignores(author) {
    return this.dataset.ignored.split(" ").includes(String(author?.id));
  }

  #notice({ author, html, attachments }) {
    this.#attention.called();
    const said = textOf(html) || attachments.map(({ name }) => name).join(", ");
    const values = { author: author?.name ?? "", text: said.slice(0, ANNOUNCED) };
    announce(sentence(this.#list.dataset.announcement, values));
  }

  #change(state) {
    const { kind, policy } = this.dataset;
    const isOther = state.kind !== kind || state.policy !== policy || state.archived !== "archived" in this.dataset;
    if (isOther) location.reload();
    else showHeading(this, this.#title, state);
  }

  /** Too much has happened to catch up with: begin anew, but not for ever. */
  #reload() {
    if (mayDo(`reset:${this.dataset.slug}`, RESET_REST)) location.reload();
    else this.#connected("stale");
  }
}

customElements.define("earshot-room", EarshotRoom);
