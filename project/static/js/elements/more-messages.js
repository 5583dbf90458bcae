const AHEAD = "600px";

/** `<more-messages>`: an end of the rows beyond which there are others, and the link to them. It gives `more` events. */
class MoreMessages extends HTMLElement {
  #observer;

  disconnectedCallback() {
    this.#observer?.disconnect();
  }

  /** Ask by itself from now on, when it comes near. */
  begin(scroller) {
    const seen = ([entry]) => entry.isIntersecting && this.#ask();
    this.#observer = new IntersectionObserver(seen, { root: scroller, rootMargin: `${AHEAD} 0px` });
    this.addEventListener("click", (event) => {
      event.preventDefault();
      this.#ask();
    });
    this.lookAgain();
  }

  /** An observer speaks of changes only, and a short page leaves the link in view. */
  lookAgain() {
    this.#observer.unobserve(this);
    this.#observer.observe(this);
  }

  #ask() {
    if (!this.hidden) this.dispatchEvent(new CustomEvent("more", { bubbles: true, detail: this.dataset.way }));
  }
}

customElements.define("more-messages", MoreMessages);
