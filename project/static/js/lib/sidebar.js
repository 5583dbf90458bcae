// The list of rooms beside the page, as the room in the page hears of it.

/** Mark rooms as having something new, or not, by their slugs; one that is not listed is not ours to show. */
export function noteUnread(slugs, isUnread) {
  if (!isUnread) noteMentions(Object.fromEntries(slugs.map((slug) => [slug, 0])));
  for (const link of slugs.map(linkTo)) {
    link?.classList.toggle("room-link--unread", Boolean(isUnread));
    link?.querySelectorAll("[data-unread]").forEach((mark) => (mark.hidden = !isUnread));
  }
}

/** Say how many unread messages of rooms call the viewer, by the rooms' slugs. */
export function noteMentions(counts) {
  for (const [slug, count] of Object.entries(counts)) {
    const badge = linkTo(slug)?.querySelector("[data-mentions]");
    if (!badge) continue;
    badge.hidden = count === 0;
    badge.querySelector("[data-count]").textContent = count;
  }
}

/** Take rooms out that the viewer may not know of any more, by their slugs. */
export function forget(slugs) {
  for (const slug of slugs) linkTo(slug)?.closest("li").remove();
}

export function otherRooms(slug) {
  return [...document.querySelectorAll(".room-link[data-room]")].map((link) => link.dataset.room).filter((each) => each !== slug);
}

export function rename(slug, name) {
  const label = linkTo(slug)?.querySelector(".room-link__name");
  if (label) label.textContent = name;
}

function linkTo(slug) {
  return document.querySelector(`.room-link[data-room="${CSS.escape(slug)}"]`);
}
