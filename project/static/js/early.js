// The one script that holds the page up, and so stays this short: Enter sends also before the modules have come.
// Until then the composer is a plain form. (A module would run only when the person may already have typed.)
document.addEventListener("keydown", (event) => {
  const isPlainEnter = event.key === "Enter" && !event.shiftKey && !event.ctrlKey && !event.altKey && !event.isComposing;
  if (!isPlainEnter || !event.target.closest("message-composer:not(:defined)")) return;
  if (matchMedia("(hover: none) and (pointer: coarse)").matches) return; // on a phone Enter is a new line
  event.preventDefault();
  event.target.form.requestSubmit();
});
