import { PageTitle } from "../lib/page-title.js";
import { sentence } from "../lib/part.js";
import { ReadMarker } from "../lib/read-marker.js";
import { Sending } from "../lib/sending.js";
import { mayDo } from "../lib/storage.js";
import { RoomStream } from "../lib/stream.js";
import { TabTurn } from "../lib/tab-turn.js";

const RESET_REST = 30_000; // milliseconds between two reloads that the server asked for
const ANNOUNCED = 200; // characters

/** `<earshot-room>` joins the room's parts: what the stream brings goes to them, what they ask for goes to the server. */
class EarshotRoom extends HTMLElement {
  #sending;
  #stream;
  #reader;
  #title = new PageTitle();
  #gone = new AbortController();

  connectedCallback() {
    const { viewer, lastRead } = this.dataset;
    const moderates = "moderates" in this.dataset;
    this.#list.begin({ id: viewer, moderates, lastRead: lastRead ? Number(lastRead) : null });
    this.#older.begin(this.#scroller.box);
    this.addEventListener("history", ({ detail }) => this.#prepend(detail));
    this.addEventListener("link-copied", () => this.#announce(this.#list.dataset.copied));
    if ("member" in this.dataset) this.#takePart();
    this.#showTarget();
    window.addEventListener("hashchange", () => this.#showTarget(), { signal: this.#gone.signal });
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

  get #older() {
    return this.querySelector("older-messages");
  }

  #takePart() {
    const signal = this.#gone.signal;
    const { readUrl, lastRead, streamUrl, position, epoch } = this.dataset;
    this.#reader = new ReadMarker(readUrl, Number(lastRead));
    const composer = this.querySelector("message-composer");
    this.#sending = new Sending(this, { list: this.#list, scroller: this.#scroller, composer });
    this.#stream = new RoomStream({
      url: streamUrl,
      cursor: Number(position),
      epoch,
      onEvent: (name, data) => this.#apply(name, data),
      onReset: () => this.#reload(),
      onState: (state) => this.#connected(state),
    });
    this.addEventListener("reconnect", () => this.#stream.resume());
    this.addEventListener("edit-last", () => this.#list.editLast());
    this.addEventListener("message-changed", ({ detail }) => this.#list.show(detail));
    this.addEventListener("view-moved", () => this.#looked());
    window.addEventListener("offline", () => this.#connected("away"), { signal });
    window.addEventListener("focus", () => this.#looked(), { signal });
    document.addEventListener("visibilitychange", () => this.#looked(), { signal });
    new TabTurn({ onStart: () => this.#stream.resume(), onStop: () => this.#stream.pause() }).begin(signal);
    this.#looked();
  }

  #connected(state) {
    this.querySelector("connection-state").show(state);
    if (state === "live") this.#sending.hurry();
  }

  #apply(name, data) {
    if (name === "message_created") this.#receive(data);
    else if (name.startsWith("message_")) this.#list.revise(data.message, data.row);
    else if (name.startsWith("membership_")) this.#count(this.querySelector("member-list").apply(name, data));
    else this.#change(data.state);
  }

  #receive({ message, row }) {
    const isOwn = String(message.author?.id) === this.dataset.viewer;
    let isNew;
    this.#scroller.hold(this.#list.rows.children, () => (isNew = this.#list.receive(message, row)));
    if (isOwn) this.#sending.arrived(message.client_id);
    else if (isNew && !message.deleted_at) this.#notice(message);
    if (this.#scroller.isAtEnd) this.#older.startFrom(this.#list.trim());
    this.#looked();
  }

  #notice({ author, text }) {
    if (!this.#scroller.isAtEnd) this.#scroller.miss();
    if (document.hidden) this.#title.miss();
    const values = { author: author?.name ?? "", text: text.slice(0, ANNOUNCED) };
    this.#announce(sentence(this.#list.dataset.announcement, values));
  }

  #announce(text) {
    this.querySelector("[data-announcer]").textContent = text;
  }

  #count(difference) {
    for (const each of this.querySelectorAll("[data-member-count]")) {
      each.textContent = Math.max(0, Number(each.textContent) + difference);
    }
  }

  #change({ name, topic, archived }) {
    if (archived !== "archived" in this.dataset) return location.reload();
    const heading = this.querySelector("[data-room-name]");
    this.#title.rename(heading.textContent, name);
    heading.textContent = name;
    this.querySelector("[data-room-topic]").textContent = topic;
    const link = document.querySelector(`.room-link[data-room="${this.dataset.slug}"] .room-link__name`);
    if (link) link.textContent = name;
  }

  #prepend({ rows, hasMore }) {
    this.#scroller.hold(this.#list.rows.children, () => this.#list.prepend(rows));
    this.querySelector("[data-start]").hidden = hasMore;
  }

  /** What is in view counts as read while the person is here and at the end. */
  #looked() {
    if (!document.hidden) this.#title.clear();
    if (!document.hidden && document.hasFocus() && this.#scroller.isAtEnd) this.#reader.see(this.#list.newest);
  }

  /** Too much has happened to catch up with: begin anew, but not for ever. */
  #reload() {
    if (mayDo(`reset:${this.dataset.slug}`, RESET_REST)) location.reload();
    else this.#connected("stale");
  }

  /** Find the message that the address names, also when it is not on the first page. */
  async #showTarget() {
    const position = Number(/^#message-(\d+)$/.exec(location.hash)?.[1]);
    if (!position) return;
    await this.#older.reach(position);
    const row = document.getElementById(`message-${position}`);
    row?.scrollIntoView({ block: "center" });
    this.#list.highlight(row);
  }
}

customElements.define("earshot-room", EarshotRoom);
