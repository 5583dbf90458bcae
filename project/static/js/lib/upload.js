// A file on its way to the server: one request each, with progress, that can be broken off and tried again.
import { csrfToken } from "./http.js";

const AT_ONCE = 2; // a browser has six connections to a site, and messages need some
const waiting = [];
let running = 0;

/** Tells `change` for every step. `state` is waiting, sending, done, failed or cancelled. */
export class Upload extends EventTarget {
  state = "waiting";
  progress = 0;
  reason = "";
  #url;
  #request = null;

  /** @param {string} url @param {File} file */
  constructor(url, file) {
    super();
    this.#url = url;
    this.file = file;
    this.description = { id: null, name: file.name, kind: "file" };
  }

  start() {
    this.#become("waiting");
    waiting.push(this);
    startNext();
  }

  retry() {
    if (this.state === "failed") this.start();
  }

  cancel() {
    this.#become("cancelled");
    this.#request?.abort();
  }

  /** Return a promise that is kept once it is done, failed or cancelled. */
  settled() {
    return new Promise((resolve) => {
      const look = () => ["done", "failed", "cancelled"].includes(this.state) && resolve(this.state);
      this.addEventListener("change", look);
      look();
    });
  }

  send() {
    const request = new XMLHttpRequest();
    this.#request = request;
    request.open("POST", `${this.#url}?name=${encodeURIComponent(this.file.name)}`);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.responseType = "json";
    request.upload.addEventListener("progress", ({ loaded, total }) => this.#progressed(total ? loaded / total : 0));
    request.addEventListener("loadend", () => this.#ended(request));
    this.#become("sending");
    request.send(this.file);
  }

  #progressed(part) {
    this.progress = part;
    this.#become(this.state);
  }

  #ended({ status, response }) {
    this.#request = null;
    running -= 1;
    if (this.state !== "cancelled") {
      if (status === 201) this.description = response;
      else this.reason = Object.values(response?.errors ?? {}).flat().join(" ");
      this.#become(status === 201 ? "done" : "failed");
    }
    startNext();
  }

  #become(state) {
    this.state = state;
    this.dispatchEvent(new Event("change"));
  }
}

/** Return what stands for a file that the server has already. */
export function uploaded(description) {
  const upload = new Upload("", { name: description.name, type: "" });
  return Object.assign(upload, { state: "done", progress: 1, description });
}

function startNext() {
  while (running < AT_ONCE && waiting.length) {
    const upload = waiting.shift();
    if (upload.state !== "waiting") continue;
    running += 1;
    upload.send();
  }
}
