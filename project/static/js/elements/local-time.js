import { clockTime, dayHeading, fullTime } from "../lib/times.js";

/** `<local-time><time datetime="…">` shows the reader's own time of day, and `dated` also the day. */
class LocalTime extends HTMLElement {
  connectedCallback() {
    const time = this.querySelector("time[datetime]");
    if (!time) return;
    const date = new Date(time.dateTime);
    time.textContent = (this.hasAttribute("dated") ? `${dayHeading(date)}, ` : "") + clockTime(date);
    time.title = fullTime(date);
  }
}

customElements.define("local-time", LocalTime);
