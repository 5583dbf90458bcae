import { listenForDialogs } from "./dialogs.js";

/** Goes to messages and days, in the page or not. */
export class Target {
  #list;
  #scroller;
  #history;

  constructor({ list, scroller, history }) {
    this.#list = list;
    this.#scroller = scroller;
    this.#history = history;
  }

  /** Go where the address says from now on, and where dialogs do. */
  listen(room, signal) {
    window.addEventListener("hashchange", () => this.follow(), { signal });
    room.addEventListener("click", ({ target }) => {
      const hash = target.closest("a")?.hash;
      if (hash && hash === location.hash) this.follow(); // once more: nothing has changed that could be heard
    });
    listenForDialogs(room, (day) => this.goToDay(day));
  }

  /** Show where the page opens: the message that the address names, or where the unread begins. */
  async open() {
    if (await this.follow({ isAsked: false })) return;
    const at = Number(new URLSearchParams(location.search).get("at"));
    const { firstUnread } = this.#list.run;
    if (at) this.#show(rowAt(at));
    else if (firstUnread && !isInView(firstUnread, this.#scroller.box)) this.#scroller.reveal(firstUnread);
    else if (location.search && this.#list.dataset.at !== "0") this.#show(rowAt(this.#list.dataset.at));
  }

  /** Show the message that the address names. Return whether it names one. */
  async follow({ isAsked = true } = {}) {
    const position = Number(/^#message-(\d+)$/.exec(location.hash)?.[1]);
    if (position && !rowAt(position)) await this.#history.show({ around: position });
    if (position) this.#show(rowAt(position), { isAsked });
    return Boolean(position);
  }

  /** Show the first message of a day, `2026-01-31`, as it is here. */
  async goToDay(day) {
    const at = await this.#history.show({ since: new Date(`${day}T00:00`).toISOString() });
    if (at) this.#show(rowAt(at), { isAsked: true });
    else if (at === 0) this.#scroller.toEnd();
  }

  /** Who asked for it goes on from there by keyboard; a page that opens leaves the focus where it is. */
  #show(row, { isAsked = false } = {}) {
    if (row) this.#scroller.reveal(row);
    if (isAsked) row?.focus({ preventScroll: true });
    this.#list.highlight(row);
  }
}

function rowAt(position) {
  return document.getElementById(`message-${position}`);
}

function isInView(row, box) {
  return row.getBoundingClientRect().top >= box.getBoundingClientRect().top;
}
