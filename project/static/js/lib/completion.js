import { announce } from "./announcing.js";
import { allEmoji, search, toned, used } from "./emoji.js";
import { getJSON } from "./http.js";
import { Listbox } from "./listbox.js";
import { part, sentence } from "./part.js";
import { type } from "./typed.js";

const MOST = 8;
const BEGUN = /(?:^|[\s([{>*_~"'])([@#:])([\p{L}\p{N}._+-]*)$/u;
const NAMED = /(?:^|\s):([\p{L}\p{N}_+-]+):$/u;

let made = 0; // the editor in a row has one, too

/** Offers, while somebody writes, the people, rooms and emoji whose names begin with what stands before the caret. */
export class Completion {
  #field;
  #box = part("suggestions");
  #list;
  #start = 0;
  #turn = 0;
  #told = null;

  constructor(field) {
    this.#field = field;
    this.#list = new Listbox(field, this.#box, (item) => this.#insert(item));
    this.#box.id += (made += 1);
    field.parentElement.append(this.#box);
    field.addEventListener("input", () => this.#look());
    field.addEventListener("blur", () => this.#close());
    // Before what the field itself does with a key.
    field.addEventListener("keydown", (event) => this.#press(event), { capture: true });
  }

  #press(event) {
    const isEscape = event.key === "Escape" && this.#list.isOpen;
    if (isEscape) this.#close();
    if (isEscape || this.#list.press(event)) event.stopImmediatePropagation();
  }

  async #look() {
    const turn = ++this.#turn;
    const before = this.#field.value.slice(0, this.#field.selectionStart);
    const named = NAMED.exec(before)?.[1];
    const [, mark, query] = BEGUN.exec(before) ?? [];
    const found = named ? await emoji(named).catch(() => []) : mark ? await this.#find(mark, query) : [];
    if (turn !== this.#turn) return;
    this.#start = before.length - (named ? named.length + 2 : mark ? query.length + 1 : 0);
    const meant = named && found.find(({ names }) => names.includes(named.toLowerCase()));
    if (meant) this.#insert(meant, "");
    else this.#offer(named ? [] : found);
  }

  async #find(mark, query) {
    if (mark === "@") return people(query.toLowerCase());
    if (mark === "#") return rooms(query.toLowerCase());
    return query.length < 2 ? [] : emoji(query).catch(() => []);
  }

  #offer(items) {
    this.#list.show(items.slice(0, MOST), option);
    const { several } = this.#box.dataset;
    this.#told?.remove(); // another number is of no use
    this.#told = this.#list.isOpen ? announce(sentence(several, { count: Math.min(items.length, MOST) })) : null;
  }

  #insert(item, after = " ") {
    const text = item.take?.() ?? item.text;
    this.#close();
    type(this.#field, text + after, this.#start, this.#field.selectionStart);
  }

  #close() {
    this.#turn += 1;
    this.#list.close();
  }
}

function option({ text, name }) {
  const row = part("suggestion");
  row.querySelector("[data-text]").textContent = text;
  row.querySelector("[data-name]").textContent = name;
  return row;
}

async function emoji(query) {
  return search(await allEmoji(), query, MOST).map((each) => ({ ...each, text: toned(each), take: () => used(each) }));
}

/** Whoever spoke last comes first; those who are not in the page are asked for. */
async function people(query) {
  const room = document.querySelector("earshot-room");
  const { username: own, everybody } = room.dataset;
  const named = (selector, name) => [...room.querySelectorAll(selector)].map((each) => [each.dataset.username, name(each).textContent]);
  const spoke = named(".message__author[data-username]", (each) => each).reverse();
  const listed = named("[data-people] > li", (each) => each.querySelector("[data-name]"));
  const all = new Map([...spoke, ...listed, ...(everybody ? [["room", everybody]] : [])]);
  const fits = ([username, name]) => username.startsWith(query) || name.toLowerCase().split(/\s+/).some((word) => word.startsWith(query));
  const found = new Map([...all].filter(fits));
  const isWhole = listed.length >= Number(room.querySelector("[data-member-count]").textContent);
  const others = isWhole || !query || found.size >= MOST ? [] : await membersLike(room, query);
  for (const { username, name } of others) found.set(username, name);
  found.delete(own);
  return [...found].map(([username, name]) => ({ text: `@${username}`, name }));
}

async function membersLike(room, query) {
  const url = `${room.dataset.membersUrl}?${new URLSearchParams({ begins: query })}`;
  return (await getJSON(url).catch(() => ({ members: [] }))).members;
}

function rooms(query) {
  const links = [...document.querySelectorAll(".room-link[data-public]")];
  const all = links.map((link) => ({ text: `#${link.dataset.room}`, name: link.querySelector(".room-link__name").textContent }));
  return all.filter(({ text, name }) => text.startsWith(`#${query}`) || name.toLowerCase().startsWith(query));
}
