import { announce } from "./announcing.js";
import { showHeading, showReports } from "./heading.js";
import { textOf } from "./html.js";
import { sentence } from "./part.js";
import { forget, noteMentions, noteUnread, otherRooms } from "./sidebar.js";

const ANNOUNCED = 200; // characters

/** What the stream brings to a room, each event taken to the parts of its page that it changes. */
export class RoomEvents {
  #room;
  #list;
  #history;
  #title;
  #attention;
  #sending;
  #company;
  #pins;

  /** @param {HTMLElement} room */
  constructor(room, { list, history, title, attention, sending, company, pins }) {
    this.#room = room;
    this.#list = list;
    this.#history = history;
    this.#title = title;
    this.#attention = attention;
    this.#sending = sending;
    this.#company = company;
    this.#pins = pins;
  }

  apply(name, data) {
    if (data.message === null) return; // about what was said before this member joined
    if (data.message) this.#pins.take(data.message);
    if (name === "message_created") this.#receive(data);
    else if (data.message) this.#list.revise(data.message, data.row);
    else if (name === "unread" || name === "read") this.#note(data);
    else if (name === "membership_changed" && this.#isViewer(data.member)) location.reload();
    else if (name === "room_changed") this.#change(data.state);
    else if (name === "rooms") forget(data.gone);
    else if (name === "reports") showReports(this.#room, data.count);
    else if (name !== "room_deleted") this.#company.apply(name, data); // that was before it was restored
    if (data.row && !data.message) this.#history.receive(data.position, () => this.#list.run.receiveNotice(data.row));
  }

  #receive({ message, row }) {
    if (!this.#history.isLive) this.#list.forget(message.client_id);
    const isNew = !this.#list.has(message.client_id); // a page of history may have brought it
    this.#history.receive(message.position, () => this.#list.receive(message, row));
    this.#company.wrote(message.author);
    if (this.#isViewer(message.author)) this.#sending.arrived(message.client_id);
    else if (isNew && !message.deleted_at && !this.#ignores(message.author)) this.#notice(message);
    this.#attention.looked();
  }

  #isViewer(person) {
    return String(person?.id) === this.#room.dataset.viewer;
  }

  #ignores(author) {
    return this.#room.dataset.ignored.split(" ").includes(String(author?.id));
  }

  #notice({ author, html, attachments }) {
    this.#attention.called();
    const said = textOf(html) || attachments.map(({ name }) => name).join(", ");
    const values = { author: author?.name ?? "", text: said.slice(0, ANNOUNCED) };
    announce(sentence(this.#list.dataset.announcement, values));
  }

  #note({ rooms, whole, mentions = {}, room, position, unread }) {
    const { slug } = this.#room.dataset;
    if (whole) noteUnread(otherRooms(slug), false);
    noteUnread(rooms?.filter((each) => each !== slug) ?? [room], rooms || unread);
    noteMentions(mentions);
    if (room === slug) this.#attention.hear(position);
    this.#title.show();
  }

  #change(state) {
    const { dataset } = this.#room;
    const isOther = state.kind !== dataset.kind || state.policy !== dataset.policy || state.archived !== "archived" in dataset;
    if (isOther) location.reload();
    else showHeading(this.#room, this.#title, state);
  }
}
