import { complain } from "../lib/announcing.js";
import { Completion } from "../lib/completion.js";
import { Refusal, getJSON, post } from "../lib/http.js";
import { isComposing, isEscape, isSending } from "../lib/keys.js";
import { part } from "../lib/part.js";
import { pressShortcut } from "../lib/shortcuts.js";
import { keep, recall } from "../lib/storage.js";

/** `<message-editor>` stands in a row in place of its text while that is being edited. */
export class MessageEditor extends HTMLElement {
  #key;

  /** Open an editor in a row of the viewer's own. */
  static async open(row) {
    if (row.querySelector("message-editor")) return;
    const room = row.closest("earshot-room");
    const url = room.dataset.messagesUrl;
    const composed = () => room.querySelector("message-composer textarea")?.value;
    const composedBefore = composed();
    // The row holds the text as shown; what was typed comes from the server.
    const before = Number(row.dataset.position) + 1;
    const page = await getJSON(`${url}?before=${before}&limit=1`).catch(complain);
    const message = page?.messages.find(({ id }) => String(id) === row.dataset.id);
    const place = room.querySelector(`li[data-id="${row.dataset.id}"]`); // perhaps another row by now
    // Nor if the person has gone on to write something else.
    if (!message || !place || place.querySelector("message-editor") || composed() !== composedBefore) return;
    const editor = part("editor");
    place.append(editor);
    editor.begin(`${url}${message.id}/edit/`, message.text, `edit:${room.dataset.viewer}:${message.id}`);
  }

  /** Put a row in the place of another one; an editor that is open in that goes on, unless its text is gone. */
  static replace(known, row) {
    const editor = known.querySelector("message-editor");
    const isFocused = editor?.contains(document.activeElement);
    known.replaceWith(row);
    const body = row.querySelector(".message__body");
    if (!editor || !body) return;
    body.hidden = true;
    row.append(editor);
    if (isFocused) editor.querySelector("textarea").focus();
  }

  /** @param {string} key - where what has been changed is kept, should the row or the page go before it is saved */
  begin(url, text, key) {
    const field = this.querySelector("textarea");
    const begun = recall(key);
    this.#key = key;
    this.#body.hidden = true;
    field.value = begun?.from === text ? begun.to : text;
    field.required = !this.#row.querySelector(".files");
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
    new Completion(field);
    field.addEventListener("input", () => keep(key, { from: text, to: field.value }));
    field.addEventListener("keydown", (event) => this.#press(event));
    this.querySelector("[data-do=cancel]").addEventListener("click", () => this.#close());
    this.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#save(url, field.value, text);
    });
  }

  get #row() {
    return this.closest("li");
  }

  get #body() {
    return this.#row.querySelector(".message__body");
  }

  #press(event) {
    if (isComposing(event)) return;
    pressShortcut(event);
    if (isEscape(event)) this.#close();
    if (!isSending(event)) return;
    event.preventDefault();
    this.querySelector("form").requestSubmit();
  }

  async #save(url, text, before) {
    if (text.trim() === before) return this.#close();
    const button = this.querySelector("form button:not([type])");
    button.disabled = true;
    try {
      const message = await post(url, { text });
      const row = this.#row;
      this.#close();
      row?.dispatchEvent(new CustomEvent("message-changed", { bubbles: true, detail: message }));
    } catch (error) {
      const reason = error instanceof Refusal ? error.message : "";
      this.querySelector("[data-error]").textContent = reason || this.dataset.failed;
      button.disabled = false;
    }
  }

  #close() {
    keep(this.#key, null);
    if (!this.isConnected) return;
    this.#body.hidden = false;
    const { activeElement } = document;
    // Whoever has gone on to something else, while it was saved, stays there.
    if (activeElement === document.body || this.contains(activeElement)) this.#row.querySelector(".message__time").focus();
    this.remove();
  }
}

customElements.define("message-editor", MessageEditor);
