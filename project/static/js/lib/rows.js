// Rows of the message list: where they stand, and how they look beside each other.
import { relation } from "./grouping.js";
import { part } from "./part.js";
import { enliven } from "./prose.js";
import { quoteElement } from "./quotes.js";
import { dayHeading } from "./times.js";

export const positionOf = (row) => Number(row?.dataset.position) || Infinity;
/** The last position that a row tells of: lines between the messages may tell of several. */
export const endOf = (row) => Number(row.dataset.last) || positionOf(row);

/** Put a row where its position says; rows that have none yet stay at the end, in the order they were written in. */
export function place(list, row) {
  let above = list.lastElementChild;
  while (above && (above === row || positionOf(above) > positionOf(row))) above = above.previousElementSibling;
  if (above) above.after(row);
  else list.prepend(row);
}

/** Show a row, and the one below it, as beginning a day, beginning somebody's turn, or going on. */
export function arrange(row) {
  for (const each of [row, row?.nextElementSibling]) if (each) arrangeOne(each);
  // With a new day, what was today is yesterday.
  if (row?.querySelector(":scope > .day")) for (const day of row.parentElement.querySelectorAll(".day")) sayDay(day);
}

export function arrangeAll(list) {
  for (const row of list.children) arrangeOne(row);
}

/** Mark the first row that somebody else wrote after a position, if what stands before it is here. */
export function markFirstUnread(list, { after, upTo, viewer }, label) {
  const isUnread = (row) => row.dataset.id && endOf(row) > after && endOf(row) <= upTo && row.dataset.author !== viewer;
  const first = [...list.children].find(isUnread);
  const isKnown = first && positionOf(list.firstElementChild) <= after;
  const marked = list.querySelector(".message--first-unread");
  if (marked && marked === first) return;
  marked?.classList.remove("message--first-unread");
  marked?.querySelector(".message__first-unread").remove();
  if (!isKnown) return;
  const mark = Object.assign(document.createElement("p"), { className: "message__first-unread", textContent: label });
  first.prepend(mark);
  first.classList.add("message--first-unread");
}

function arrangeOne(row) {
  const above = row.previousElementSibling;
  const { startsDay, continues } = relation(above && factsOf(above), factsOf(row));
  const breaks = row.classList.contains("message--first-unread");
  row.classList.toggle("message--continued", continues && !breaks);
  row.querySelector(":scope > .day")?.remove();
  if (startsDay) row.prepend(headingOf(row));
  enliven(row);
}

function factsOf(row) {
  return { author: row.dataset.author, at: new Date(row.dataset.createdAt) };
}

function headingOf(row) {
  const textContent = dayHeading(factsOf(row).at);
  return Object.assign(document.createElement("h2"), { className: "day", textContent });
}

function sayDay(heading) {
  heading.textContent = dayHeading(factsOf(heading.parentElement).at);
}

/** Turn the page's empty message into one that is on its way. */
export function fillPending(row, { clientId, text, quote, at }, author) {
  Object.assign(row.dataset, { clientId, author, createdAt: at });
  row.classList.add("message--pending");
  row.querySelector("time").dateTime = at;
  const body = row.querySelector(".message__body");
  body.textContent = text;
  if (quote) body.before(quoteElement(quote));
  row.append(part("status"));
}

/** Show how a message on its way is doing: `sending` shows nothing to press. */
export function showStatus(row, state, reason = "") {
  for (const each of ["sending", "waiting", "failed"]) row.querySelector(`[data-${each}]`).hidden = each !== state;
  for (const button of row.querySelectorAll(".message__status button")) button.hidden = state === "sending";
  row.querySelector("[data-reason]").textContent = reason;
}
