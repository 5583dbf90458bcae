import { rename } from "./sidebar.js";

/** Show a room's name and topic where its page has them. */
export function showHeading(room, title, { name, topic }) {
  const heading = room.querySelector("[data-room-name]");
  title.rename(heading.textContent, name);
  heading.textContent = name;
  room.querySelector("[data-room-topic]").textContent = topic;
  rename(room.dataset.slug, name);
}

/** Show whoever moderates the room how many reports wait. */
export function showReports(room, count) {
  const link = room.querySelector("[data-reports]");
  if (!link) return;
  link.hidden = count === 0;
  link.querySelector("[data-report-count]").textContent = count;
  const words = link.querySelector("[data-report-words]");
  words.textContent = words.dataset[new Intl.PluralRules(document.documentElement.lang).select(count)] ?? words.dataset.other;
}
