/** `<picture-cropper>`: which square of a picture is shown, chosen with three sliders or by dragging. */
class PictureCropper extends HTMLElement {
  #image = null;

  connectedCallback() {
    this.#input.addEventListener("change", () => this.#load(this.#input.files[0]));
    for (const name of ["zoom", "across", "along"]) this.#slider(name).addEventListener("input", () => this.#show());
    const frame = this.querySelector("[data-frame]");
    frame.addEventListener("pointerdown", ({ pointerId }) => frame.setPointerCapture(pointerId));
    frame.addEventListener("pointermove", (event) => frame.hasPointerCapture(event.pointerId) && this.#drag(event));
  }

  get #input() {
    return this.closest("form").querySelector("input[type=file]");
  }

  #slider(name) {
    return this.querySelector(`[data-${name}]`);
  }

  /** The square that is chosen, in the picture's own pixels. */
  get #square() {
    const { naturalWidth: width, naturalHeight: height } = this.#image;
    const side = Math.min(width, height) / Number(this.#slider("zoom").value);
    const left = (width - side) * Number(this.#slider("across").value);
    const top = (height - side) * Number(this.#slider("along").value);
    return { left, top, side, width, height };
  }

  async #load(file) {
    this.querySelector("[data-tool]").hidden = true;
    this.querySelector("[data-error]").textContent = "";
    this.#image = null;
    this.#tell({ left: "", top: "", side: "" });
    if (!file) return;
    const image = new Image();
    image.src = URL.createObjectURL(file);
    try {
      await image.decode();
    } catch {
      this.querySelector("[data-error]").textContent = this.dataset.broken;
      return;
    } finally {
      URL.revokeObjectURL(image.src);
    }
    this.#image = image;
    this.querySelector("[data-tool]").hidden = false;
    this.#show();
  }

  #show() {
    const { left, top, side, width, height } = this.#square;
    const view = this.querySelector("[data-view]");
    const context = view.getContext("2d");
    context.clearRect(0, 0, view.width, view.height);
    context.drawImage(this.#image, left, top, side, side, 0, 0, view.width, view.height);
    const shorter = Math.min(width, height);
    this.#tell({ left: left / shorter, top: top / shorter, side: side / shorter });
  }

  #tell(values) {
    for (const [name, value] of Object.entries(values)) {
      this.querySelector(`input[name=${name}]`).value = typeof value === "number" ? value.toFixed(4) : value;
    }
  }

  #drag({ movementX, movementY }) {
    if (!this.#image) return;
    const { side, width, height } = this.#square;
    const scale = side / this.querySelector("[data-view]").clientWidth;
    this.#push("across", (-movementX * scale) / (width - side));
    this.#push("along", (-movementY * scale) / (height - side));
    this.#show();
  }

  #push(name, part) {
    const slider = this.#slider(name);
    if (Number.isFinite(part)) slider.value = Number(slider.value) + part;
  }
}

customElements.define("picture-cropper", PictureCropper);
