import { part, sentence } from "./part.js";

/** The files of messages that are on their way out: a message leaves once all of its own have arrived. */
export class PendingFiles {
  #outbox;
  #again;
  #uploads = new Map();

  /** @param {Outbox} outbox @param {string} again - the sentence for files that this page has not any more */
  constructor(outbox, again) {
    this.#outbox = outbox;
    this.#again = again;
  }

  /** Have a message wait for its files. */
  async follow({ clientId }, uploads) {
    this.#uploads.set(clientId, uploads);
    for (const upload of uploads) this.#outbox.describe(clientId, uploads.map(({ description }) => description));
    await Promise.all(uploads.map((upload) => upload.settled()));
    if (!this.#uploads.has(clientId)) return;
    this.#outbox.describe(clientId, uploads.map(({ description }) => description));
    const failed = uploads.filter(({ state }) => state !== "done");
    if (failed.length) this.#outbox.fail(clientId, failed.map(({ file, reason }) => `${file.name}: ${reason}`).join(" "));
    else this.#uploads.delete(clientId);
  }

  /** Send what failed once more. Return whether there is anything to be sent from here. */
  retry(entry) {
    const uploads = this.#uploads.get(entry.clientId);
    if (!uploads) return !isIncomplete(entry);
    for (const upload of uploads) upload.retry();
    this.follow(entry, uploads);
    return true;
  }

  forget(clientId) {
    for (const upload of this.#uploads.get(clientId) ?? []) upload.cancel();
    this.#uploads.delete(clientId);
  }

  /** After a reload the files that had not arrived are gone: say which. */
  resume(entry) {
    if (!isIncomplete(entry)) return;
    const names = entry.files.filter(({ id }) => !id).map(({ name }) => name).join(", ");
    this.#outbox.fail(entry.clientId, sentence(this.#again, { names }));
  }

  /** Show the files in the row of their message. */
  show(row, { clientId, files }) {
    if (!files?.length) return;
    const list = part("pending-files");
    files.forEach((file, index) => list.append(rowOf(file, this.#uploads.get(clientId)?.[index])));
    row.querySelector(".message__body").after(list);
  }
}

export function isIncomplete({ files }) {
  return (files ?? []).some(({ id }) => !id);
}

function rowOf(file, upload) {
  const row = part("pending-file");
  const progress = row.querySelector("[data-progress]");
  row.querySelector("[data-name]").textContent = file.name;
  progress.ariaLabel = file.name;
  const show = () => {
    progress.value = upload?.progress ?? 0;
    progress.hidden = !upload || upload.state === "done";
  };
  upload?.addEventListener("change", show);
  show();
  return row;
}
