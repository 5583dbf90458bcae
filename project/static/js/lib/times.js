// Times as the reader has them: their language, their time zone.

const language = document.documentElement.lang || undefined;
const clock = new Intl.DateTimeFormat(language, { hour: "numeric", minute: "2-digit" });
const weekday = new Intl.DateTimeFormat(language, { weekday: "long", day: "numeric", month: "long" });
const longDay = new Intl.DateTimeFormat(language, { day: "numeric", month: "long", year: "numeric" });
const full = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "short" });
const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
const DAY = 86_400_000;

export const clockTime = (date) => clock.format(date);
export const fullTime = (date) => full.format(date);

/** Return the number of a date's day in the reader's time zone: the same for two times of one day. */
export function dayNumber(date) {
  return Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / DAY;
}

/** Return a day's heading: today, yesterday, a weekday of this year, or the date. */
export function dayHeading(date, now = new Date()) {
  const difference = dayNumber(date) - dayNumber(now);
  if (difference === 0 || difference === -1) return capitalised(relative.format(difference, "day"));
  return (date.getFullYear() === now.getFullYear() ? weekday : longDay).format(date);
}

function capitalised(text) {
  return text.charAt(0).toLocaleUpperCase(language) + text.slice(1);
}
