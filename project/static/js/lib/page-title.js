/** The page's title and icon, with the number of messages that came while nobody looked, or that there are any elsewhere. */
export class PageTitle {
  #plain = document.title;
  #missed = 0;
  #icon = document.querySelector("link[data-unread-href]");
  #calm = this.#icon?.href;

  rename(before, after) {
    if (this.#plain.startsWith(before)) this.#plain = after + this.#plain.slice(before.length);
    this.show();
  }

  miss() {
    this.#missed += 1;
    this.show();
  }

  clear() {
    this.#missed = 0;
    this.show();
  }

  show() {
    const isElsewhere = document.querySelector(".room-link--unread") !== null;
    document.title = (this.#missed ? `(${this.#missed}) ` : isElsewhere ? "• " : "") + this.#plain;
    const href = this.#missed || isElsewhere ? this.#icon?.dataset.unreadHref : this.#calm;
    if (this.#icon && this.#icon.getAttribute("href") !== href) this.#icon.href = href;
  }
}
