// What every page has.
import "./elements/local-time.js";
import { forgetAll } from "./lib/storage.js";

// Drafts and unsent messages are kept in this browser: they go when the person signs out.
document.addEventListener("submit", ({ target }) => {
  if (target.matches("form[data-forgets]")) forgetAll();
});

// After everything that the page itself needs. There is none on plain HTTP.
addEventListener("load", () => navigator.serviceWorker?.register("/sw.js").catch(() => {}));
