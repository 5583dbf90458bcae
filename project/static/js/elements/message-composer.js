import { Completion } from "../lib/completion.js";
import { takeFilesFrom } from "../lib/file-sources.js";
import { isComposing, isEscape, isSending } from "../lib/keys.js";
import { sentence } from "../lib/part.js";
import { pressShortcut } from "../lib/shortcuts.js";
import { keep, recall } from "../lib/storage.js";
import { type } from "../lib/typed.js";
import { pickEmoji } from "./emoji-picker.js";

const NEARLY_FULL = 0.9;

/** `<message-composer>`: the form at the foot of the room. It gives `compose` events, and keeps what is not yet sent. */
class MessageComposer extends HTMLElement {
  #draftKey;

  /** Come alive: from now on messages leave by `compose` events. */
  begin(draftKey) {
    this.#draftKey = draftKey;
    this.#field.value ||= recall(draftKey) ?? "";
    this.#reply.begin(`${draftKey}:reply`);
    new Completion(this.#field);
    this.#tray.begin(`${draftKey}:files`);
    const [room, input] = [this.closest("earshot-room"), this.querySelector("input[type=file]")];
    takeFilesFrom({ room, input, field: this.#field, take: (files) => this.#attach(files) });
    for (const name of ["emptied", "reply-cancelled"]) this.addEventListener(name, () => this.#field.focus());
    this.#field.addEventListener("input", () => this.#typed());
    this.querySelector("[data-do=emoji]").addEventListener("click", () => pickEmoji((emoji) => type(this.#field, emoji)));
    this.#field.addEventListener("keydown", (event) => this.#press(event));
    this.addEventListener("keydown", (event) => isEscape(event) && this.#reply.cancel());
    this.querySelector("form").addEventListener("submit", (event) => this.#submit(event));
    this.#changed();
    if (matchMedia("(hover: hover)").matches) this.#field.focus();
  }

  /** Write an answer to a message. */
  reply(quote) {
    this.#reply.show(quote);
    this.#field.focus();
  }

  /** Whether no message has been begun. */
  get isEmpty() {
    return this.#field.value === "" && this.#tray.isEmpty && this.#reply.isEmpty;
  }

  /** Give a message back, and say what is wrong with it. */
  refuse({ text, quote, files }, reason) {
    this.#field.value = text;
    this.#tray.restore((files ?? []).filter(({ id }) => id));
    this.#reply.show(quote ?? null);
    this.#changed();
    this.#error.textContent = reason || this.dataset.failed;
    this.#field.focus();
  }

  /** Say for how long the server will hear nothing: what is sent meanwhile waits in its row. */
  slow(milliseconds) {
    this.querySelector("send-pause").begin(milliseconds);
  }

  /** The sentence for files that have to be picked again. */
  get filesAgain() {
    return this.#tray.dataset.again;
  }

  /** Take text or not; what is written stays. */
  toggle(isOpen) {
    for (const control of this.querySelectorAll("textarea, button, input")) control.disabled = !isOpen;
  }

  get #field() {
    return this.querySelector("textarea");
  }

  get #reply() {
    return this.querySelector("reply-bar");
  }

  get #tray() {
    return this.querySelector("file-tray");
  }

  get #error() {
    return this.querySelector("[data-error]");
  }

  #press(event) {
    if (isComposing(event)) return;
    pressShortcut(event);
    if (event.key === "ArrowUp" && this.#field.value === "") {
      event.preventDefault();
      this.dispatchEvent(new CustomEvent("edit-last", { bubbles: true }));
    }
    if (!isSending(event)) return;
    event.preventDefault();
    this.querySelector("form").requestSubmit();
  }

  #submit(event) {
    event.preventDefault();
    const text = this.#field.value;
    if ((text.trim() === "" && this.#tray.isEmpty) || this.#left() < 0) return;
    if (this.#tray.hasFailed) return void (this.#error.textContent = this.#tray.dataset.unfinished);
    this.#field.value = "";
    this.#changed();
    this.#field.focus();
    const detail = { text, quote: this.#reply.take(), uploads: this.#tray.take() };
    this.dispatchEvent(new CustomEvent("compose", { bubbles: true, detail }));
  }

  #attach(files) {
    this.#error.textContent = this.#tray.add(files);
    this.#field.focus();
  }

  #typed() {
    this.#changed();
    if (this.#field.value.trim()) this.dispatchEvent(new CustomEvent("typing", { bubbles: true }));
  }

  #changed() {
    this.#error.textContent = "";
    keep(this.#draftKey, this.#field.value);
    this.#fit();
    this.#count();
  }

  #left() {
    return Number(this.dataset.max) - [...this.#field.value].length;
  }

  #count() {
    const count = this.querySelector("[data-count]");
    const left = this.#left();
    const isQuiet = left > Number(this.dataset.max) * (1 - NEARLY_FULL);
    const pattern = left < 0 ? this.dataset.over : this.dataset.left;
    count.textContent = isQuiet ? "" : sentence(pattern, { count: Math.abs(left) });
    count.classList.toggle("composer__count--over", left < 0);
  }

  /** Grow with the text, where CSS (`field-sizing`) does not do it. */
  #fit() {
    if (CSS.supports("field-sizing", "content")) return;
    this.#field.style.blockSize = "auto";
    this.#field.style.blockSize = `${this.#field.scrollHeight}px`;
  }
}

customElements.define("message-composer", MessageComposer);
