/** Whether a key belongs to an input method: its Enter takes a suggestion, its Escape drops one. */
export const isComposing = (event) => event.isComposing || event.keyCode === 229;

/** Whether a key press is an Escape for what has the focus: what has popped up above it goes first, by itself. */
export function isEscape(event) {
  return event.key === "Escape" && !isComposing(event) && !document.querySelector(":popover-open");
}

/** Whether a key press sends what is written, as its person has chosen it. On a phone Enter is a new line. */
export function isSending(event) {
  if (event.key !== "Enter" || event.shiftKey || event.altKey || isComposing(event)) return false;
  if (event.ctrlKey || event.metaKey) return true;
  const isPhone = matchMedia("(hover: none) and (pointer: coarse)").matches;
  return !isPhone && event.target.closest("[data-enter-sends]") !== null;
}
