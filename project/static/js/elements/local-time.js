import { clockTime, fullTime } from "../lib/times.js";

/** `<local-time><time datetime="…">` shows the reader's own time of day. */
class LocalTime extends HTMLElement {
  connectedCallback() {
    const time = this.querySelector("time[datetime]");
    if (!time) return;
    const date = new Date(time.dateTime);
    time.textContent = clockTime(date);
    time.title = fullTime(date);
  }
}

customElements.define("local-time", LocalTime);
