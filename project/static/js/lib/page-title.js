/** The page's title, with the number of messages that came while nobody looked. */
export class PageTitle {
  #plain = document.title;
  #missed = 0;

  rename(before, after) {
    if (this.#plain.startsWith(before)) this.#plain = after + this.#plain.slice(before.length);
    this.#show();
  }

  miss() {
    this.#missed += 1;
    this.#show();
  }

  clear() {
    this.#missed = 0;
    this.#show();
  }

  #show() {
    document.title = this.#missed ? `(${this.#missed}) ${this.#plain}` : this.#plain;
  }
}
