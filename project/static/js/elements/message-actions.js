import { quoteOf } from "../lib/quotes.js";
import { MessageEditor } from "./message-editor.js";

/** `<message-actions>`: the one bar of buttons, which moves to the row that is pointed at or focused. */
class MessageActions extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", this);
  }

  handleEvent(event) {
    const action = event.target.closest("[data-do]")?.dataset.do;
    if (action) this.perform(action, this.closest("li"));
  }

  /** Move to a row, with what its viewer may do there. */
  show(row, { isOwn, isMember, moderates, writes, reacts, pins }) {
    this.querySelector("[data-do=reply]").hidden = !writes;
    this.querySelector("[data-do=react]").hidden = !reacts;
    this.querySelector("[data-do=unread]").hidden = isOwn || !reacts;
    const isPinned = row.matches(".message--pinned");
    this.querySelector("[data-do=pin]").hidden = !pins || isPinned;
    this.querySelector("[data-do=unpin]").hidden = !pins || !isPinned;
    this.querySelector("[data-do=report]").hidden = isOwn || !isMember;
    this.querySelector("[data-do=edit]").hidden = !isOwn || !writes;
    this.querySelector("[data-do=delete]").hidden = !isMember || !(isOwn || moderates);
    if (this.parentElement !== row) row.append(this);
  }

  perform(action, row) {
    if (action === "reply") row.dispatchEvent(new CustomEvent("reply", { bubbles: true, detail: quoteOf(row) }));
    if (action === "copy") this.#copy(row);
    if (action === "unread") row.dispatchEvent(new CustomEvent("mark-unread", { bubbles: true, detail: Number(row.dataset.position) }));
    if (action === "edit") MessageEditor.open(row);
    if (action === "report") location.assign(`${this.closest("earshot-room").dataset.messagesUrl}${row.dataset.id}/report/`);
    if (["react", "forward", "delete"].includes(action)) row.dispatchEvent(new Event(`message-${action}`, { bubbles: true }));
  }

  async #copy(row) {
    const link = new URL(`?at=${row.dataset.position}#${row.id}`, location.href.split(/[?#]/)[0]);
    try {
      await navigator.clipboard.writeText(link);
      this.dispatchEvent(new CustomEvent("link-copied", { bubbles: true }));
    } catch {
      location.hash = row.id; // no clipboard on plain HTTP: the link is in the address bar
    }
  }
}

customElements.define("message-actions", MessageActions);
