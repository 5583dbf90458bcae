import { type } from "./typed.js";

const MARKS = { b: "**", i: "*", e: "`", "shift+x": "~~" };

/** Put Markdown's marks around what is selected, or take them off, on a key pressed with Ctrl or ⌘. */
export function pressShortcut(event) {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
  const key = (event.shiftKey ? "shift+" : "") + event.key.toLowerCase();
  if (key !== "k" && !(key in MARKS)) return;
  event.preventDefault();
  if (key === "k") link(event.target);
  else toggle(event.target, MARKS[key]);
}

function toggle(field, mark) {
  const { value, selectionStart: start, selectionEnd: end } = field;
  const size = mark.length;
  const text = value.slice(start, end);
  if (isAround(value, start, end, mark)) {
    type(field, text, start - size, end + size);
    field.setSelectionRange(start - size, end - size);
  } else {
    type(field, mark + text + mark);
    field.setSelectionRange(start + size, end + size);
  }
}

/** `*` is not around a word that is bold only. */
function isAround(value, start, end, mark) {
  const isPart = mark === "*" && /(^|[^*])\*\*$/.test(value.slice(0, start));
  return !isPart && value.slice(0, start).endsWith(mark) && value.slice(end).startsWith(mark);
}

function link(field) {
  const { selectionStart: start, selectionEnd: end } = field;
  const text = field.value.slice(start, end);
  const isAddress = /^https?:\/\/\S+$/.test(text);
  type(field, isAddress ? `[](${text})` : `[${text}]()`);
  // To where something is missing.
  const missing = start + (isAddress || !text ? 1 : text.length + 3);
  field.setSelectionRange(missing, missing);
}
