import { sentence } from "../lib/part.js";

/** `<file-lightbox>`: a picture in full, over the room, and from it to those before and after. */
class FileLightbox extends HTMLElement {
  #links = [];
  #place = 0;

  connectedCallback() {
    const room = this.closest("earshot-room");
    room.addEventListener("click", (event) => this.#clicked(event));
    this.addEventListener("click", ({ target }) => this.#act(target));
    this.addEventListener("keydown", (event) => this.#press(event));
    this.#dialog.addEventListener("close", () => this.#image.removeAttribute("src"));
  }

  get #dialog() {
    return this.querySelector("dialog");
  }

  get #image() {
    return this.querySelector("[data-image]");
  }

  #clicked(event) {
    const link = event.target.closest("a[data-picture]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.#links = [...link.closest("message-list, dialog").querySelectorAll("a[data-picture]")];
    link.focus(); // it gets the focus back when the dialog closes; Safari gives none to a link that is clicked
    this.#dialog.showModal();
    this.#show(this.#links.indexOf(link));
  }

  #act(target) {
    const action = target.closest("[data-do]")?.dataset.do;
    if (action === "next") this.#turn(1);
    else if (action === "previous") this.#turn(-1);
    else if (action === "close" || target === this.#dialog) this.#dialog.close();
  }

  #press(event) {
    const onwards = document.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    event.preventDefault();
    this.#turn(event.key === onwards ? 1 : -1);
  }

  #turn(step) {
    const place = this.#place + step;
    if (place >= 0 && place < this.#links.length) this.#show(place);
  }

  #show(place) {
    this.#place = place;
    const { name } = this.#links[place].dataset;
    const href = this.#links[place].getAttribute("href");
    Object.assign(this.#image, { src: href, alt: name });
    Object.assign(this.querySelector("[data-download]"), { href, download: name });
    this.querySelector("[data-name]").textContent = name;
    const counter = this.querySelector("[data-place]");
    const count = this.#links.length;
    counter.textContent = count > 1 ? sentence(counter.dataset.pattern, { number: place + 1, count }) : "";
    this.querySelector("[data-told]").textContent = `${name} ${counter.textContent}`;
    this.querySelector("[data-do=previous]").hidden = place === 0;
    this.querySelector("[data-do=next]").hidden = place === count - 1;
    if (!this.#dialog.contains(document.activeElement) || document.activeElement.hidden) this.#focusClose();
  }

  #focusClose() {
    this.querySelector("[data-do=close]").focus();
  }
}

customElements.define("file-lightbox", FileLightbox);
