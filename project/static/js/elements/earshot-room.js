import { Attention } from "../lib/attention.js";
import { PageTitle } from "../lib/page-title.js";
import { sentence } from "../lib/part.js";
import { Sending } from "../lib/sending.js";
import { markUnread, rename } from "../lib/sidebar.js";
import { mayDo } from "../lib/storage.js";
import { RoomStream } from "../lib/stream.js";
import { TabTurn } from "../lib/tab-turn.js";

const RESET_REST = 30_000; // milliseconds between two reloads that the server asked for
const ANNOUNCED = 200; // characters
const CLOSED = ["signed-out", "removed"]; // states in which nothing can be sent

/** `<earshot-room>` joins the room's parts: what the stream brings goes to them, what they ask for goes to the server. */
class EarshotRoom extends HTMLElement {
  #sending;
  #stream;
  #attention;
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

  get #composer() {
    return this.querySelector("message-composer");
  }

  #takePart() {
    const signal = this.#gone.signal;
    const { readUrl, lastRead, streamUrl, position, epoch } = this.dataset;
    const parts = { list: this.#list, scroller: this.#scroller, composer: this.#composer, title: this.#title };
    this.#attention = new Attention({ ...parts, readUrl, lastRead: Number(lastRead) });
    this.#sending = new Sending(this, parts);
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
    window.addEventListener("offline", () => this.#connected("away"), { signal });
    new TabTurn({ onStart: () => this.#stream.resume(), onStop: () => this.#stream.pause() }).begin(signal);
    this.#attention.begin(signal);
  }

  #connected(state) {
    this.querySelector("connection-state").show(state);
    this.#composer?.toggle(!CLOSED.includes(state));
    if (state === "live") this.#sending.hurry();
  }

  #apply(name, data) {
    if (name === "message_created") this.#receive(data);
    else if (name.startsWith("message_")) this.#list.revise(data.message, data.row);
    else if (name.startsWith("membership_")) this.#count(this.querySelector("member-list").apply(name, data));
    else if (name === "room_changed") this.#change(data.state);
    else markUnread(data.rooms.filter((slug) => slug !== this.dataset.slug));
  }

  #receive({ message, row }) {
    const isOwn = String(message.author?.id) === this.dataset.viewer;
    let isNew;
    this.#scroller.hold(this.#list.rows.children, () => (isNew = this.#list.receive(message, row)));
    if (isOwn) this.#sending.arrived(message.client_id);
    else if (isNew && !message.deleted_at) this.#notice(message);
    if (this.#scroller.isAtEnd) this.#older.startFrom(this.#list.trim());
    this.#attention.looked();
  }

  #notice({ author, text }) {
    this.#attention.called();
    const values = { author: author?.name ?? "", text: text.slice(0, ANNOUNCED) };
    this.#announce(sentence(this.#list.dataset.announcement, values));
  }

  #announce(text) {
    this.querySelector("[data-announcer]").textContent = text;
  }

  #count(difference) {
    for (const each of this.querySelectorAll("[data-member-count]")) each.textContent = Number(each.textContent) + difference;
  }

  #change({ name, topic, archived }) {
    if (archived !== "archived" in this.dataset) return location.reload();
    const heading = this.querySelector("[data-room-name]");
    this.#title.rename(heading.textContent, name);
    heading.textContent = name;
    this.querySelector("[data-room-topic]").textContent = topic;
    rename(this.dataset.slug, name);
  }

  #prepend({ rows, hasMore }) {
    this.#scroller.hold(this.#list.rows.children, () => this.#list.prepend(rows));
    this.querySelector("[data-start]").hidden = hasMore;
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
