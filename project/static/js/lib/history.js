import { complain } from "./announcing.js";
import { rowsFrom } from "./html.js";
import { getRows } from "./http.js";

const PAGE = 50;
const OPPOSITE = { before: "after", after: "before" };

/**
 * The part of the room that is in the page: a run of rows without a gap, at most some hundred. It grows at the end that
 * is scrolled to and is cut at the other, and takes live rows only while it reaches to the room's end.
 */
export class History {
  #url;
  #list;
  #scroller;
  #start;
  #edges;
  #heard = 0; // the highest position that the stream has told of
  #busy = false;
  #turn = 0;

  /** @param {HTMLElement} room */
  constructor(room, { list, scroller }) {
    this.#url = room.dataset.messagesUrl;
    this.#list = list;
    this.#scroller = scroller;
    this.#start = room.querySelector("[data-start]");
    this.#edges = Object.fromEntries([...room.querySelectorAll("more-messages")].map((edge) => [edge.dataset.way, edge]));
    room.addEventListener("more", ({ detail }) => this.#grow(detail));
    room.addEventListener("to-latest", () => this.toLatest());
    this.#changed();
    for (const edge of Object.values(this.#edges)) edge.begin(scroller.box);
  }

  /** Whether the rows reach to the room's end. */
  get isLive() {
    return this.#edges.after.hidden;
  }

  get hasOlder() {
    return !this.#edges.before.hidden;
  }

  /** Have a live row put in by `put`, if it belongs here. */
  receive(position, put) {
    this.#heard = Math.max(this.#heard, position);
    if (!this.#scroller.isAtEnd && this.#run.isFull) this.#edges.after.hidden = false;
    if (this.isLive) this.#scroller.hold(put);
    if (this.#scroller.isAtEnd && this.#run.trim("before")) this.#edges.before.hidden = false;
    this.#changed();
  }

  async toLatest() {
    try {
      await this.#exchange({});
      if (!this.isLive) await this.#load("after"); // something came while that page was on its way
    } catch {
      // It is said already that the server is out of reach, and how many messages wait.
    }
    if (this.isLive) this.#scroller.toEnd();
  }

  /** Show another part: `{around: position}` or `{since: time}`. Return where it opens, or null if it does not. */
  async show(query) {
    try {
      return await this.#exchange(query);
    } catch (error) {
      complain(error);
      return null;
    }
  }

  get #run() {
    return this.#list.run;
  }

  /** Put a page in place of what is here. Return where it opens, or null if another one was asked for meanwhile. */
  async #exchange(query) {
    const turn = ++this.#turn;
    const page = await getRows(`${this.#url}?${new URLSearchParams({ limit: PAGE, ...query })}`);
    if (turn !== this.#turn) return null;
    this.#turn += 1; // what was asked for beside the old rows does not belong to these
    this.#run.replaceAll(rowsFrom(page.html));
    this.#edges.before.hidden = !page.hasOlder;
    this.#edges.after.hidden = this.#isWhole(page);
    this.#changed();
    for (const edge of Object.values(this.#edges)) edge.lookAgain();
    return page.at;
  }

  async #grow(way) {
    if (this.#busy) return;
    this.#busy = true;
    try {
      await this.#load(way);
      // What was asked for meanwhile was not heard.
      setTimeout(() => Object.values(this.#edges).forEach((edge) => edge.lookAgain()));
    } catch {
      // The link stays, and can be pressed again.
    } finally {
      this.#busy = false;
    }
  }

  async #load(way) {
    const turn = this.#turn;
    const from = way === "before" ? this.#run.oldest : this.#run.newest;
    const page = await getRows(`${this.#url}?${way}=${from}&limit=${PAGE}`);
    if (turn === this.#turn) this.#scroller.hold(() => this.#take(way, page));
    this.#changed();
  }

  #take(way, page) {
    this.#run.add(rowsFrom(page.html));
    this.#edges[way].hidden = way === "before" ? !page.hasOlder : this.#isWhole(page);
    if (this.#run.trim(OPPOSITE[way])) this.#edges[OPPOSITE[way]].hidden = false;
  }

  /** Whether nothing stands after a page: what the stream brought while it was on its way may. */
  #isWhole(page) {
    return !page.hasNewer && this.#heard <= this.#run.newest;
  }

  #changed() {
    this.#start.hidden = this.hasOlder;
    this.#list.toggleAttribute("data-detached", !this.isLive);
    this.#scroller.follow(this.isLive);
  }
}
