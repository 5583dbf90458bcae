const GRACE = 5_000; // milliseconds
const LOCK = "earshot-hidden-tab";
const CHANNEL = "earshot-tabs";

/**
 * Who of many tabs may hold a connection: every visible one, and one hidden one (the holder of a Web Lock), so that ten
 * open tabs do not use up the browser's six connections. A tab that has just been hidden keeps its connection for a
 * short while, unless another one comes to be seen.
 */
export class TabTurn {
  #start;
  #stop;
  #restart;
  #others = new BroadcastChannel(CHANNEL);
  #wait = null;
  #release = null;
  #timer;

  constructor({ onStart, onStop, onRestart }) {
    this.#start = onStart;
    this.#stop = onStop;
    this.#restart = onRestart;
  }

  begin(signal) {
    const listen = (target, name, listener) => target.addEventListener(name, listener, { signal });
    listen(document, "visibilitychange", () => (document.hidden ? this.#hide() : this.#show()));
    listen(window, "pagehide", () => this.#leave());
    listen(window, "pageshow", ({ persisted }) => persisted && this.#show());
    listen(window, "online", () => this.#isOurs && this.#restart());
    listen(this.#others, "message", () => this.#rest());
    listen(signal, "abort", () => this.#others.close());
    if (document.hidden) this.#queue();
    else this.#show();
  }

  get #isOurs() {
    return !document.hidden || this.#release !== null;
  }

  #show() {
    this.#giveUpLock();
    this.#others.postMessage("shown");
    this.#start();
  }

  #hide() {
    this.#timer = setTimeout(() => this.#rest(), GRACE);
    this.#queue();
  }

  #rest() {
    if (!this.#isOurs) this.#stop();
  }

  /** Wait to be the one hidden tab. There are no locks on plain HTTP: a hidden tab then simply rests. */
  #queue() {
    this.#wait = new AbortController();
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
