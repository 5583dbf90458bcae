const GRACE = 5_000; // milliseconds
const LOCK = "earshot-hidden-tab";

/**
 * Who of many tabs may hold a connection: every visible one, and one hidden one (the holder of a Web Lock), so that ten
 * open tabs do not use up the browser's six connections.
 */
export class TabTurn {
  #start;
  #stop;
  #wait = null;
  #release = null;
  #timer;

  constructor({ onStart, onStop }) {
    this.#start = onStart;
    this.#stop = onStop;
  }

  begin(signal) {
    const listen = (target, name, listener) => target.addEventListener(name, listener, { signal });
    listen(document, "visibilitychange", () => (document.hidden ? this.#hide() : this.#show()));
    listen(window, "pagehide", () => this.#leave());
    listen(window, "pageshow", ({ persisted }) => persisted && this.#show());
    listen(window, "online", () => this.#isOurs && this.#start());
    if (document.hidden) this.#hide();
    this.#start();
  }

  get #isOurs() {
    return !document.hidden || this.#release !== null;
  }

  #show() {
    this.#giveUpLock();
    this.#start();
  }

  #hide() {
    this.#timer = setTimeout(() => this.#release ?? this.#stop(), GRACE);
    this.#wait = new AbortController();
    // No locks on plain HTTP: a hidden tab then simply rests.
    navigator.locks?.request(LOCK, { signal: this.#wait.signal }, () => this.#hold()).catch(() => {});
  }

  #hold() {
    return new Promise((release) => {
      this.#release = release;
      this.#start();
    });
  }

  #leave() {
    this.#giveUpLock();
    this.#stop();
  }

  #giveUpLock() {
    clearTimeout(this.#timer);
    this.#wait?.abort();
    this.#release?.();
    this.#wait = this.#release = null;
  }
}
