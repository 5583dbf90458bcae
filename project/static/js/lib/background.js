// What waits to be sent, where the service worker finds it: it sends it should the page be closed meanwhile.
// No page depends on it, and on plain HTTP, or in a browser without background sync, there is none.
import { csrfToken } from "./http.js";

const OUTBOX = "earshot-outbox";

let last = Promise.resolve();

/** @param {Object<string, string>} fields - of a form; `client_id` says which message it is */
export function entrust(url, fields) {
  inTurn(async (outbox) => {
    const { sync } = await navigator.serviceWorker.getRegistration();
    await outbox.put(fields.client_id, new Response(JSON.stringify({ url, fields, token: csrfToken() })));
    await sync.register(OUTBOX);
  });
}

export function withdraw(clientId) {
  inTurn((outbox) => outbox.delete(clientId));
}

/** One after the other, so that what is withdrawn is not put in again. */
function inTurn(change) {
  last = last.then(async () => change(await caches.open(OUTBOX))).catch(() => {});
}
