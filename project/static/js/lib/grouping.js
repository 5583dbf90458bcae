import { dayNumber } from "./times.js";

const TOGETHER = 5 * 60_000; // milliseconds

/**
 * Tell how a row stands to the one above it.
 * @param {{author: string, at: Date}|null} above
 * @param {{author: string, at: Date}} row - `author` is empty for people who are gone
 * @returns {{startsDay: boolean, continues: boolean}} `continues`: same author, same day, soon after
 */
export function relation(above, row) {
  const startsDay = !above || dayNumber(above.at) !== dayNumber(row.at);
  const sameAuthor = above !== null && row.author !== "" && above.author === row.author;
  return { startsDay, continues: !startsDay && sameAuthor && row.at - above.at < TOGETHER };
}
