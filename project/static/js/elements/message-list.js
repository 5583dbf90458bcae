import { announce } from "../lib/announcing.js";
import { fill, rowsFrom } from "../lib/html.js";
import { part } from "../lib/part.js";
import { enliven } from "../lib/prose.js";
import { refreshQuotes } from "../lib/quotes.js";
import { arrange, fillPending, place, positionOf, showStatus } from "../lib/rows.js";
import { Run } from "../lib/run.js";
import { MessageEditor } from "./message-editor.js";

/** `<message-list>`: the rows, oldest first. It alone puts rows in, replaces them and takes them out. */
class MessageList extends HTMLElement {
  #viewer;
  #actions;

  /** @param {{id: string, moderates: boolean, writes: boolean, lastRead: number|null, position: number}} viewer */
  begin(viewer) {
    this.#viewer = viewer;
    this.#actions = part("actions");
    const unread = { after: viewer.lastRead ?? Infinity, upTo: viewer.position, viewer: viewer.id };
    this.run = new Run(this.rows, unread, this.dataset.firstUnread);
    for (const name of ["pointerover", "focusin"]) this.addEventListener(name, (event) => this.#point(event));
    this.addEventListener("click", ({ target }) => this.#decide(target));
  }

  get rows() {
    return this.querySelector("[data-rows]");
  }

  /** Open the viewer's newest message that is here, if there is one, to be edited. */
  editLast() {
    const own = `[data-id][data-author="${this.#viewer.id}"]:not(.message--deleted)`;
    const row = [...this.rows.querySelectorAll(own)].at(-1);
    if (row) MessageEditor.open(row);
  }

  highlight(row) {
    this.querySelector(".message--found")?.classList.remove("message--found");
    row?.classList.add("message--found");
  }

  has(clientId) {
    return this.rows.querySelector(`[data-id][data-client-id="${clientId}"]`) !== null;
  }

  /** Put a live row in, in place of what stood for it. */
  receive(message, html) {
    const [row] = rowsFrom(html);
    const pending = this.#pending(message.client_id);
    const known = this.#find(message.id) ?? pending;
    if (known) MessageEditor.replace(known, row);
    pending?.remove(); // there are two when a page of history came before this
    this.#settle(row);
  }

  /** Replace a row that is here, and what quotes it; for one that is not there is nothing to show. */
  revise(message, html) {
    const known = this.#find(message.id);
    const [row] = rowsFrom(html);
    if (known) {
      MessageEditor.replace(known, row);
      this.run.arrange(row);
    } else this.run.keepLate(message.id, html);
    refreshQuotes(message, this.dataset.deleted);
  }

  /** Show a message that is on its way. Return its row. */
  expect(entry) {
    const row = part("pending");
    fillPending(row, entry, this.#viewer.id);
    this.#settle(row);
    return row;
  }

  /** Say how a message on its way is doing: `sending`, `waiting` or `failed`. */
  report(entry, state) {
    const row = this.#pending(entry.clientId);
    if (!row) return;
    showStatus(row, state, entry.reason);
    if (state === "failed") announce(row.querySelector("[data-failed]").textContent);
  }

  /** The server has it: the pending row becomes the message's, until its event brings the real one. */
  confirm(clientId, message) {
    const row = this.#pending(clientId);
    const oldest = this.rows.querySelector("[data-id]");
    const isElsewhere = this.#find(message.id) || "detached" in this.dataset || (oldest && message.position < positionOf(oldest));
    if (!row || isElsewhere) return row?.remove();
    row.id = `message-${message.position}`;
    // It is `ahead`: what others wrote above it may not have come yet.
    Object.assign(row.dataset, { id: message.id, position: message.position, createdAt: message.created_at, ahead: "" });
    row.classList.remove("message--pending");
    row.querySelector(".message__status").remove();
    this.show(message);
    this.#settle(row);
  }

  /** Show a message's text as it is now, until its event brings the row. */
  show(message) {
    const row = this.#find(message.id);
    const body = row?.querySelector(".message__body");
    if (!body) return;
    if (message.deleted_at) for (const each of row.querySelectorAll(".quote, .files, .reactions, .message__edited")) each.remove();
    if (message.deleted_at) body.textContent = this.dataset.deleted;
    else fill(body, message.html);
    enliven(row);
  }

  forget(clientId) {
    this.#pending(clientId)?.remove();
  }

  select(clientId) {
    getSelection().selectAllChildren(this.#pending(clientId).querySelector(".message__body"));
  }

  #find(id) {
    return this.rows.querySelector(`[data-id="${id}"]`);
  }

  #pending(clientId) {
    return this.rows.querySelector(`.message--pending[data-client-id="${clientId}"]`);
  }

  /** Retry or discard a message that was not sent. */
  #decide(target) {
    const action = target.closest(".message__status [data-do]")?.dataset.do;
    const detail = target.closest("li")?.dataset.clientId;
    if (action) this.dispatchEvent(new CustomEvent(action, { bubbles: true, detail }));
  }

  #settle(row) {
    place(this.rows, row);
    arrange(row);
  }

  /** Bring the actions to the row that is pointed at or focused. */
  #point({ target, type }) {
    const row = target.closest("li[data-id]:not(.message--deleted)");
    if (!row || !this.rows.contains(row)) return;
    if (type === "pointerover" && this.#actions.contains(document.activeElement)) return;
    this.#actions.show(row, { isOwn: row.dataset.author === this.#viewer.id, ...this.#viewer });
  }
}

customElements.define("message-list", MessageList);
