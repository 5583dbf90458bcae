const SHOWN_MILLISECONDS = 3000;

/** `<copy-text>`: a field and a button that copies what is in it. Where there is no clipboard the text is selected. */
class CopyText extends HTMLElement {
  connectedCallback() {
    const button = this.querySelector("[data-copy]");
    button.hidden = false;
    button.addEventListener("click", () => this.#copy(button));
  }

  async #copy(button) {
    const field = this.querySelector("[data-text]");
    field.select(); // on plain HTTP the person's own keys copy it
    await navigator.clipboard?.writeText(field.value);
    if (!navigator.clipboard || button.textContent === button.dataset.done) return;
    const label = button.textContent;
    button.textContent = button.dataset.done;
    setTimeout(() => (button.textContent = label), SHOWN_MILLISECONDS);
  }
}

customElements.define("copy-text", CopyText);
