import { allEmoji, chooseTone, recent, search, tone, toned, used } from "../lib/emoji.js";
import { Listbox } from "../lib/listbox.js";

const MOST = 150; // found by a name

/** `<emoji-picker>`: a popover with all emoji. They are fetched when it is first opened. */
class EmojiPicker extends HTMLElement {
  #list;
  #picked;
  #all = [];

  connectedCallback() {
    this.#list = new Listbox(this.#field, this.querySelector("[role=listbox]"), (each) => this.#take(each));
    this.#field.addEventListener("input", () => this.#show());
    this.#field.addEventListener("keydown", (event) => this.#list.press(event));
    this.#tones.addEventListener("change", () => this.#changeTone());
  }

  /** Let one be picked; `picked` is then told which. */
  async open(picked) {
    this.#picked = picked;
    this.#field.value = "";
    this.#tones.value = tone();
    this.showPopover();
    if (matchMedia("(hover: hover)").matches) this.#field.focus();
    this.#all = await allEmoji().catch(() => []);
    this.#show();
  }

  get #field() {
    return this.querySelector("input");
  }

  get #tones() {
    return this.querySelector("select");
  }

  #show() {
    const query = this.#field.value.trim();
    const begun = recent().flatMap((text) => this.#all.filter((each) => each.text === text));
    const found = query ? search(this.#all, query, MOST) : [...new Set([...begun, ...this.#all])];
    this.#list.show(found, option);
    this.querySelector("[data-none]").hidden = found.length > 0;
  }

  #changeTone() {
    chooseTone(Number(this.#tones.value));
    this.#show();
  }

  #take(each) {
    this.hidePopover();
    this.#picked(used(each));
  }
}

function option(each) {
  const { name } = each;
  const row = Object.assign(document.createElement("li"), { textContent: toned(each), title: name, ariaLabel: name });
  row.className = "picker__emoji";
  return row;
}

customElements.define("emoji-picker", EmojiPicker);

/** Open the picker; `picked` is told which emoji was taken. */
export function pickEmoji(picked) {
  document.querySelector("emoji-picker").open(picked);
}
