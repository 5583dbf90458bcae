// What a message answers, quoted: in rows, in rows on their way, and above the composer.
import { textOf } from "./html.js";
import { part } from "./part.js";

const LONGEST = 120; // characters

/** Return what a row says as a quote: `{id, position, author, text}`. */
export function quoteOf(row) {
  const { id, position } = row.dataset;
  const author = row.querySelector(".message__author").textContent;
  const body = row.querySelector(".message__body").cloneNode(true);
  body.querySelectorAll(".code__copy").forEach((each) => each.remove());
  body.querySelectorAll(".spoiler").forEach((each) => (each.textContent = "▒▒▒"));
  return { id, position, author, text: shortened(body.textContent) || namesIn(row) };
}

/** Return a quote as an element that leads to the message. */
export function quoteElement({ position, author, text }) {
  const quote = part("quote");
  quote.href = `#message-${position}`;
  quote.querySelector(".quote__author").textContent = author;
  quote.querySelector(".quote__text").textContent = text;
  return quote;
}

/** Have every quote of a message in the page say what it says now. */
export function refreshQuotes(message, deleted) {
  const text = message.deleted_at ? deleted : shortened(textOf(message.html)) || "📎"; // it has files, if it says nothing
  for (const quote of document.querySelectorAll(`.quote[href="#message-${message.position}"]`)) {
    quote.querySelector(".quote__text").textContent = text;
  }
}

/** Return the names of a row's files: what a message without text is quoted by. */
function namesIn(row) {
  const named = [...row.querySelectorAll("[data-picture], .files [aria-label], .file-card bdi")];
  return shortened(named.map((each) => each.dataset.name ?? each.ariaLabel ?? each.textContent).join(", "));
}

function shortened(text) {
  const characters = [...text.trim().replace(/\s+/g, " ")];
  return characters.length > LONGEST ? `${characters.slice(0, LONGEST - 1).join("")}…` : characters.join("");
}
