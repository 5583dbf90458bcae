import { Outbox } from "./outbox.js";

/** The way of a message out of the room: from the composer, over a pending row, to the server's answer. */
export class Sending {
  #list;
  #scroller;
  #composer;
  #outbox;

  /** @param {HTMLElement} room - the `<earshot-room>` whose parts ask for things by events */
  constructor(room, { list, scroller, composer }) {
    const { viewer, slug, messagesUrl } = room.dataset;
    this.#list = list;
    this.#scroller = scroller;
    this.#composer = composer;
    this.#outbox = new Outbox({
      key: `outbox:${viewer}:${slug}`,
      url: messagesUrl,
      onState: (entry, state) => list.report(entry, state),
      onSent: (entry, message) => list.confirm(entry.clientId, message),
      onInvalid: (entry, reason) => this.#giveBack(entry, reason),
      onSlowed: (milliseconds) => composer?.slow(milliseconds),
    });
    composer?.begin(`draft:${viewer}:${slug}`);
    room.addEventListener("compose", ({ detail }) => this.#compose(detail));
    room.addEventListener("retry", ({ detail }) => this.#outbox.retry(detail));
    room.addEventListener("discard", ({ detail }) => this.#discard(detail));
    this.#resendAll();
  }

  /** The server can be reached again. */
  hurry() {
    this.#outbox.hurry();
  }

  /** A message of ours came by the stream: it needs no more sending. */
  arrived(clientId) {
    this.#outbox.discard(clientId);
  }

  #compose(message) {
    this.#list.expect(this.#outbox.add(message));
    this.#scroller.toEnd();
    this.#outbox.hurry();
  }

  #discard(clientId) {
    this.#outbox.discard(clientId);
    this.#list.forget(clientId);
  }

  /** The server will not have it as it is: the text goes back to where it can be changed. */
  #giveBack(entry, reason) {
    this.#list.forget(entry.clientId);
    this.#composer?.refuse(entry, reason);
  }

  #resendAll() {
    for (const entry of this.#outbox.entries) {
      if (this.#list.has(entry.clientId)) this.#outbox.discard(entry.clientId);
      else this.#list.expect(entry);
      if (entry.reason !== undefined) this.#list.report(entry, "failed");
    }
    this.#outbox.hurry();
  }
}
