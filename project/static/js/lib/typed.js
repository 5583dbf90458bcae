/** Put a text in place of a part of a field, as if it were typed: so it can be undone, and is noticed. */
export function type(field, text, start = field.selectionStart, end = field.selectionEnd) {
  field.focus();
  field.setSelectionRange(start, end);
  // Said to be obsolete, and the only way that keeps the history of a field: `setRangeText` breaks it.
  if (document.execCommand(text ? "insertText" : "delete", false, text)) return;
  field.setRangeText(text, start, end, "end");
  field.dispatchEvent(new InputEvent("input", { bubbles: true }));
}
