const isKnown = () => Boolean(window.PublicKeyCredential?.parseRequestOptionsFromJSON && navigator.credentials);

/**
 * `<pass-key data-does="add|use">` in a form: has the browser make or show a passkey, and sends it as `credential`.
 * What the server asks of the passkey stands in the page, or is fetched from `data-url`.
 */
class PassKey extends HTMLElement {
  connectedCallback() {
    const button = this.querySelector("[data-button]");
    if (!isKnown()) {
      if (this.dataset.does === "add") this.#say(this.dataset.unknown);
      return;
    }
    button.hidden = false;
    button.addEventListener("click", () => this.#go(button));
  }

  async #go(button) {
    button.disabled = true;
    this.#say("");
    try {
      const credential = await this.#credential(await this.#wishes());
      const form = this.closest("form");
      form.elements.credential.value = JSON.stringify(credential.toJSON());
      form.submit();
    } catch {
      // The person closed the browser's question, or there is no such passkey: it does not say which.
      this.#say(this.dataset.failed);
      button.disabled = false;
    }
  }

  #credential(wishes) {
    if (this.dataset.does === "add") return navigator.credentials.create({ publicKey: toBeAdded(wishes.creation_options.publicKey) });
    return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(wishes.request_options.publicKey) });
  }

  async #wishes() {
    if (!this.dataset.url) return JSON.parse(document.getElementById("passkey-data").textContent);
    const response = await fetch(this.dataset.url, { headers: { Accept: "application/json" } });
    if (!response.ok) throw new Error(`${response.status}`);
    return response.json();
  }

  #say(sentence) {
    this.querySelector("[data-error]").textContent = sentence;
  }
}

/** A passkey signs its person in by itself: it is found without a username, and checks who holds it. */
function toBeAdded(options) {
  const authenticatorSelection = {
    ...options.authenticatorSelection,
    residentKey: "required",
    requireResidentKey: true,
    userVerification: "required",
  };
  return PublicKeyCredential.parseCreationOptionsFromJSON({ ...options, authenticatorSelection });
}

customElements.define("pass-key", PassKey);
