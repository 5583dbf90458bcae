// The two dialogs of reading: what a message said before, and which day to go to.
import { complain } from "./announcing.js";
import { fill } from "./html.js";
import { getJSON } from "./http.js";
import { part } from "./part.js";
import { enliven } from "./prose.js";

/** @param {function(string): void} goToDay */
export function listenForDialogs(room, goToDay) {
  const jump = room.querySelector("[data-jump-to-date]");
  room.addEventListener("click", (event) => {
    if (event.target.closest("[data-day]")) jump.showModal();
    if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
    const edited = event.target.closest(".message__edited[href]");
    if (edited) showRevisions(room.querySelector("[data-revisions]"), edited, event);
  });
  jump.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    jump.close();
    goToDay(event.target.elements.day.value);
  });
}

async function showRevisions(dialog, link, event) {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  try {
    const { revisions, has_more: hasMore } = await getJSON(link.href);
    dialog.querySelector("ol").replaceChildren(...revisions.map(rowOf));
    dialog.querySelector("[data-earlier]").hidden = !hasMore;
    dialog.showModal();
  } catch (error) {
    complain(error);
  }
}

function rowOf({ html, written_at: writtenAt }) {
  const row = part("revision");
  row.querySelector("time").dateTime = writtenAt;
  fill(row.querySelector(".prose"), html);
  enliven(row);
  return row;
}
