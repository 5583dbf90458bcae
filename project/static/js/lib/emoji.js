import { getJSON } from "./http.js";
import { keep, recall } from "./storage.js";

const TONES = ["", "🏻", "🏼", "🏽", "🏾", "🏿"];
const RECENT = 24;

let loading = null;

/** Return all emoji, fetched when they are first wanted: `{text, names, name, hasTones}`. */
export function allEmoji() {
  loading ??= getJSON(document.querySelector("[data-emoji-url]").dataset.emojiUrl).then((list) => list.map(entry));
  loading.catch(() => (loading = null)); // to be tried again
  return loading;
}

function entry([text, names, hasTones]) {
  return { text, names: names.split(" "), name: names.split(" ")[0].replaceAll("_", " "), hasTones };
}

/** Return those whose names fit, the closest first. */
export function search(all, query, most) {
  const wanted = query.trim().toLowerCase().replaceAll(" ", "_");
  const ranked = all.map((each) => [Math.min(...each.names.map((name) => rank(name, wanted))), each]);
  const found = ranked.filter(([rank]) => rank < Infinity).sort(([one], [other]) => one - other);
  return found.slice(0, most).map(([, each]) => each);
}

function rank(name, wanted) {
  if (name === wanted) return 0;
  if (name.startsWith(wanted)) return 1;
  if (name.includes(`_${wanted}`)) return 2;
  return wanted.length > 2 && name.includes(wanted) ? 3 : Infinity;
}

export const tone = () => recall("emoji-tone") ?? 0;
export const chooseTone = (number) => keep("emoji-tone", number);

/** Return an emoji as the person has it, in their skin tone. */
export function toned({ text, hasTones }) {
  if (!hasTones || !tone()) return text;
  const [first, ...others] = text;
  return first + TONES[tone()] + others.join("").replace(/^\ufe0f/, "");
}

export const recent = () => recall("emoji-recent") ?? [];

/** Return an emoji in the person's tone, and remember that they used it. */
export function used(entry) {
  keep("emoji-recent", [entry.text, ...recent().filter((text) => text !== entry.text)].slice(0, RECENT));
  return toned(entry);
}
