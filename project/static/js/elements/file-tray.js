import { part, sentence } from "../lib/part.js";
import { keep, recall } from "../lib/storage.js";
import { Upload, uploaded } from "../lib/upload.js";

/** `<file-tray>`: the files that go with the next message. They are sent at once, and wait here for the message. */
class FileTray extends HTMLElement {
  #key;
  #url;
  #uploads = [];

  /** @param {string} key - where what has been sent is kept over a reload */
  begin(key) {
    this.#key = key;
    this.#url = this.closest("earshot-room").dataset.filesUrl;
    this.restore(recall(key) ?? []);
  }

  get isEmpty() {
    return this.#uploads.length === 0;
  }

  get hasFailed() {
    return this.#uploads.some(({ state }) => state === "failed");
  }

  /** Take files that were picked, dropped or pasted. Return what is wrong with some of them, or an empty text. */
  add(files) {
    const problems = new Set();
    for (const file of files) {
      const problem = this.#problemOf(file);
      if (problem) problems.add(problem);
      else this.#take(new Upload(this.#url, file)).start();
    }
    return [...problems].join(" ");
  }

  /** Put files back that the server has. @param {object[]} descriptions */
  restore(descriptions) {
    for (const description of descriptions) this.#take(uploaded(description));
  }

  /** Return the files for a message that is sent now, and begin anew. */
  take() {
    const uploads = this.#uploads;
    this.#uploads = [];
    this.#list.replaceChildren();
    this.#changed();
    return uploads;
  }

  get #list() {
    return this.querySelector("[data-files]");
  }

  #problemOf({ name, size }) {
    if (this.#uploads.length >= Number(this.dataset.maxFiles)) return this.dataset.tooMany;
    if (size > Number(this.dataset.maxBytes)) return sentence(this.dataset.tooLarge, { name });
    return size === 0 ? sentence(this.dataset.empty, { name }) : "";
  }

  #take(upload) {
    const row = part("upload");
    row.querySelector("[data-name]").textContent = upload.file.name;
    row.querySelector("[data-label]").textContent = sentence(this.dataset.remove, { name: upload.file.name });
    row.querySelector("[data-do=remove]").addEventListener("click", () => this.#remove(upload, row));
    row.querySelector("[data-do=retry]").addEventListener("click", () => upload.retry());
    upload.addEventListener("change", () => this.#show(upload, row));
    showPreview(row.querySelector("[data-preview]"), upload);
    this.#uploads.push(upload);
    this.#list.append(row);
    this.#show(upload, row);
    return upload;
  }

  #show(upload, row) {
    const progress = row.querySelector("[data-progress]");
    Object.assign(progress, { value: upload.progress, ariaLabel: upload.file.name });
    progress.hidden = upload.state === "done" || upload.state === "failed";
    row.querySelector("[data-do=retry]").hidden = upload.state !== "failed";
    const said = upload.state === "failed" ? upload.reason || this.dataset.failed : "";
    row.querySelector("[data-state]").textContent = said;
    if (said && this.contains(row)) this.querySelector("[data-told]").textContent = `${upload.file.name}: ${said}`;
    this.#changed();
  }

  #remove(upload, row) {
    const beside = row.nextElementSibling ?? row.previousElementSibling;
    upload.cancel();
    this.#uploads = this.#uploads.filter((each) => each !== upload);
    row.remove();
    this.#changed();
    if (beside) beside.querySelector("[data-do=remove]").focus();
    else this.dispatchEvent(new CustomEvent("emptied", { bubbles: true }));
  }

  #changed() {
    this.hidden = this.isEmpty;
    keep(this.#key, this.#uploads.filter(({ state }) => state === "done").map(({ description }) => description));
  }
}

/** Show an image as it is in this browser; what only the server has, by its thumbnail. */
function showPreview(place, { file, description }) {
  const isPicture = file.type?.startsWith("image/") || description.kind === "image";
  if (!isPicture || file.type === "image/svg+xml") return;
  const image = Object.assign(document.createElement("img"), { alt: "", className: "upload__image" });
  image.src = description.id ? (description.thumbnail?.url ?? description.url) : URL.createObjectURL(file);
  image.addEventListener("load", () => URL.revokeObjectURL(image.src), { once: true });
  image.addEventListener("error", () => image.remove());
  place.append(image);
}

customElements.define("file-tray", FileTray);
