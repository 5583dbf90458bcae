import { avatarOf } from "../lib/avatar.js";
import { part } from "../lib/part.js";

const RANKS = ["owner", "moderator", "member"];

/** `<member-list>`: who is in the room, in the order of the server's list. */
class MemberList extends HTMLElement {
  #here = new Set();

  /** Take a membership event in. Return by how much the number of members changed. */
  apply(name, { member, role }) {
    const known = member && this.#list.querySelector(`[data-person="${member.id}"]`); // no `member`: their account is gone
    known?.remove();
    if (name === "membership_removed") return -1;
    if (member) this.#place(this.#rowOf(member, role ?? "member"));
    return known || name === "membership_changed" ? 0 : 1;
  }

  /** Mark who is here. @param {Set<number>} here - users' ids */
  showHere(here) {
    this.#here = here;
    for (const row of this.#list.children) this.#mark(row);
  }

  get #list() {
    return this.querySelector("[data-people]");
  }

  #rowOf(member, role) {
    const row = part("member");
    Object.assign(row.dataset, { person: member.id, username: member.username, role });
    row.querySelector(".avatar").replaceWith(avatarOf(member));
    row.querySelector("[data-name]").textContent = member.name;
    row.querySelector(".person__name").title = `@${member.username}`;
    row.querySelector(".person__role").textContent = this.dataset[role] ?? "";
    this.#mark(row);
    return row;
  }

  #mark(row) {
    row.querySelector("[data-here]").hidden = !this.#here.has(Number(row.dataset.person));
  }

  #place(row) {
    const below = [...this.#list.children].find((other) => comesBefore(row.dataset, other.dataset));
    this.#list.insertBefore(row, below ?? null);
  }
}

function comesBefore(one, other) {
  const difference = RANKS.indexOf(one.role) - RANKS.indexOf(other.role);
  return difference < 0 || (difference === 0 && one.username < other.username);
}

customElements.define("member-list", MemberList);
