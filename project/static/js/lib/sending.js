import { Outbox } from "./outbox.js";
import { sentence } from "./part.js";
import { PendingFiles } from "./pending-files.js";

/** The way of a message out of the room: from the composer, over a pending row, to the server's answer. */
export class Sending {
  #list;
  #scroller;
  #composer;
  #outbox;
  #away;
  #files;
  #discarded = new BroadcastChannel("earshot-discarded"); // this person's other tabs would send it all the same

  /** @param {HTMLElement} room - the `<earshot-room>` whose parts ask for things by events */
  constructor(room, { list, scroller, composer }) {
    const { viewer, slug, messagesUrl } = room.dataset;
    this.#list = list;
    this.#scroller = scroller;
    this.#composer = composer;
    this.#away = room.querySelector("[data-when=away]");
    this.#outbox = new Outbox({
      key: `outbox:${viewer}:${slug}`,
      url: messagesUrl,
      onState: (entry, state) => this.#report(entry, state),
      onSent: (entry, message) => this.#sent(entry, message),
      onInvalid: (entry, reason) => this.#giveBack(entry, reason),
      onSlowed: (milliseconds) => composer?.slow(milliseconds),
    });
    this.#files = new PendingFiles(this.#outbox, composer?.filesAgain ?? "");
    composer?.begin(`draft:${viewer}:${slug}`);
    room.addEventListener("compose", ({ detail }) => this.#compose(detail));
    room.addEventListener("retry", ({ detail }) => this.#retry(detail));
    room.addEventListener("copy-unsent", ({ detail }) => this.#copy(detail));
    room.addEventListener("discard", ({ detail }) => this.#discard(detail));
    this.#discarded.addEventListener("message", ({ data }) => this.#drop(data));
    this.#resendAll();
  }

  /** The server can be reached again. */
  hurry() {
    this.#outbox.hurry();
  }

  /** A message of ours came by the stream: it needs no more sending. */
  arrived(clientId) {
    this.#outbox.discard(clientId);
    this.#count();
  }

  #compose({ uploads = [], ...message }) {
    const files = uploads.map(({ description }) => description);
    const entry = this.#outbox.add({ ...message, files });
    if (uploads.length) this.#files.follow(entry, uploads);
    this.#expect(entry);
    this.#count();
    this.#scroller.toEnd();
    this.#outbox.hurry();
  }

  /** While the stream is away, the answer is all that tells that it was sent. */
  #sent(entry, message) {
    this.#list.confirm(entry.clientId, message);
    this.#count();
  }

  #report(entry, state) {
    this.#list.report(entry, state);
    this.#count();
  }

  /** Say how many wait, where it says that the page is not live. */
  #count() {
    const count = this.#outbox.entries.length;
    const { plain, waiting } = this.#away.dataset;
    this.#away.textContent = count ? sentence(waiting, { count }) : plain;
  }

  /** For whoever wants to keep a text that could not be sent. */
  async #copy(clientId) {
    try {
      await navigator.clipboard.writeText(this.#outbox.find(clientId).text);
    } catch {
      this.#list.select(clientId); // no clipboard on plain HTTP: the person's own keys copy it
    }
  }

  #expect(entry) {
    this.#files.show(this.#list.expect(entry), entry);
  }

  /** Send it again, or let its files be picked again where this page has them no more. */
  #retry(clientId) {
    const entry = this.#outbox.find(clientId);
    if (!entry) return;
    const { reason } = entry;
    if (this.#files.retry(entry)) this.#outbox.retry(clientId);
    else this.#giveBack(entry, reason);
  }

  #discard(clientId) {
    this.#discarded.postMessage(clientId);
    this.#drop(clientId);
  }

  #drop(clientId) {
    this.#files.forget(clientId);
    this.#outbox.discard(clientId);
    this.#list.forget(clientId);
    this.#count();
  }

  /** The server will not have it as it is: it goes back to where it can be changed, if there is room. Return whether. */
  #giveBack(entry, reason) {
    if (!this.#composer?.isEmpty) return false;
    this.#drop(entry.clientId);
    this.#composer.refuse(entry, reason);
    return true;
  }

  #resendAll() {
    for (const entry of this.#outbox.entries) {
      if (this.#list.has(entry.clientId)) this.#outbox.discard(entry.clientId);
      else this.#expect(entry);
      this.#files.resume(entry);
      if (entry.reason !== undefined) this.#list.report(entry, "failed");
    }
    this.#count();
    this.#outbox.hurry();
  }
}
