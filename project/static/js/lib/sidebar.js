// The list of rooms beside the page, as the room in the page hears of it.

/** Mark rooms as having something new, by their slugs; one that is not listed is not ours to show. */
export function markUnread(slugs, mentions = {}) {
  for (const [slug, count] of Object.entries(mentions)) {
    const badge = linkTo(slug)?.querySelector("[data-mentions]");
    if (!badge) continue;
    badge.hidden = count === 0;
    badge.querySelector("[data-count]").textContent = count;
  }
  for (const slug of slugs) {
    const link = linkTo(slug);
    link?.classList.add("room-link--unread");
    link?.querySelectorAll("[data-unread]").forEach((mark) => (mark.hidden = false));
  }
}

/** Take rooms out that the viewer may not know of any more, by their slugs. */
export function forget(slugs) {
  for (const slug of slugs) linkTo(slug)?.closest("li").remove();
}

export function rename(slug, name) {
  const label = linkTo(slug)?.querySelector(".room-link__name");
  if (label) label.textContent = name;
}

function linkTo(slug) {
  return document.querySelector(`.room-link[data-room="${CSS.escape(slug)}"]`);
}
