import { sentence } from "../lib/part.js";

/** `<typing-line>` says who is typing. It says nothing by itself to screen readers: it would interrupt all the time. */
class TypingLine extends HTMLElement {
  #people = new Map();

  disconnectedCallback() {
    for (const { timer } of this.#people.values()) clearTimeout(timer);
  }

  /** @param {{user: {id: number, name: string}, seconds: number}} frame - shown for so long, unless it comes again */
  show({ user, seconds }) {
    clearTimeout(this.#people.get(user.id)?.timer);
    const timer = setTimeout(() => this.clear(user.id), seconds * 1_000);
    this.#people.set(user.id, { name: user.name, timer });
    this.#say();
  }

  clear(id) {
    clearTimeout(this.#people.get(id)?.timer);
    if (this.#people.delete(id)) this.#say();
  }

  #say() {
    const [one, two] = [...this.#people.values()].map(({ name }) => name);
    const patterns = ["", this.dataset.one, this.dataset.two];
    this.textContent = sentence(patterns[this.#people.size] ?? this.dataset.several, { one, two });
  }
}

customElements.define("typing-line", TypingLine);
