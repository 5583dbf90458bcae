// What waits to be sent, where the service worker finds it: it sends it should the page be gone by then.
// No page depends on it, and on plain HTTP, or in a browser without background sync, there is none.
import { csrfToken } from "./http.js";

const OUTBOX = "earshot-outbox";

const waiting = new Set();
let last = Promise.resolve();
let sync;

navigator.serviceWorker?.ready.then((registration) => (sync = registration.sync));
document.addEventListener("visibilitychange", () => document.hidden && call());

/** @param {Object<string, string>} fields - of a form; `client_id` says which message it is */
export function entrust(url, fields) {
  waiting.add(fields.client_id);
  inTurn(async (outbox) => {
    await outbox.put(fields.client_id, new Response(JSON.stringify({ url, fields, token: csrfToken() })));
    if (!navigator.onLine) call();
  });
}

export function withdraw(clientId) {
  waiting.delete(clientId);
  inTurn((outbox) => outbox.delete(clientId)); // an earlier page may have put it in
}

/** Not while the page can do it: the two would ask twice as often, and a server that wants a pause is to have it. */
function call() {
  if (waiting.size) sync?.register(OUTBOX).catch(() => {});
}

/** One after the other, so that what is withdrawn is not put in again. */
function inTurn(change) {
  last = last.then(async () => change(await caches.open(OUTBOX))).catch(() => {});
}
