// The one script that holds the page up, and so stays this short: what sends, sends also before the modules have come.
// Until then the composer is a plain form. (A module would run only when the person may already have typed.)
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.altKey || event.isComposing || event.keyCode === 229) return;
  const composer = event.target.closest("message-composer:not(:defined)");
  const isPhone = matchMedia("(hover: none) and (pointer: coarse)").matches;
  const enterSends = composer?.closest("[data-enter-sends]") && !isPhone; // as in lib/keys.js
  if (!composer || !(event.ctrlKey || event.metaKey || enterSends)) return;
  event.preventDefault();
  event.target.form.requestSubmit();
});
