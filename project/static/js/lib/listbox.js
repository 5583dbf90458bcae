import { isComposing } from "./keys.js";

/** A list of options that belongs to a field, which keeps the focus: a listbox as ARIA's combobox pattern has it. */
export class Listbox {
  #field;
  #box;
  #choose;
  #items = [];
  #at = -1;

  /** @param {(item: object) => void} choose */
  constructor(field, box, choose) {
    this.#field = field;
    this.#box = box;
    this.#choose = choose;
    box.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
    box.addEventListener("click", ({ target }) => this.#take([...box.children].indexOf(target.closest("[role=option]"))));
  }

  get isOpen() {
    return this.#items.length > 0;
  }

  /** Show items, each by the element that `draw` makes of it; the first, if `isReady`, is what Enter takes. */
  show(items, draw, isReady = true) {
    this.#items = items;
    this.#box.replaceChildren(...items.map((item, index) => this.#option(draw(item), index)));
    this.#box.hidden = !this.isOpen;
    this.#field.setAttribute("aria-controls", this.#box.id);
    this.#mark(isReady && this.isOpen ? 0 : -1);
  }

  close() {
    this.show([]);
  }

  /** Take a key press, and tell whether it was one for the list. */
  press(event) {
    if (!this.isOpen || isComposing(event) || event.ctrlKey || event.metaKey || event.shiftKey) return false;
    const step = this.#steps[event.key];
    const isTaking = ["Enter", "Tab"].includes(event.key) && this.#at >= 0;
    if (step) this.#mark((this.#at + step + this.#items.length) % this.#items.length);
    else if (isTaking) this.#take(this.#at);
    if (!step && !isTaking) return false;
    event.preventDefault();
    return true;
  }

  get #steps() {
    const [first, ...others] = this.#box.children;
    const columns = 1 + others.findIndex((option) => option.offsetTop > first.offsetTop) || others.length + 1;
    const row = { ArrowDown: columns, ArrowUp: -columns };
    return columns === 1 ? row : { ...row, ArrowRight: 1, ArrowLeft: -1 };
  }

  #option(option, index) {
    option.id = `${this.#box.id}-${index}`;
    option.setAttribute("role", "option");
    return option;
  }

  #mark(index) {
    this.#box.children[this.#at]?.removeAttribute("aria-selected");
    this.#at = index;
    const option = this.#box.children[index];
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) this.#field.setAttribute("aria-activedescendant", option.id);
    else this.#field.removeAttribute("aria-activedescendant");
  }

  #take(index) {
    if (index >= 0) this.#choose(this.#items[index]);
  }
}
