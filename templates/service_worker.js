// Shows a page of ours when the server can't be reached, and sends what could not be sent while a page was open.
// Nothing else goes through it: no stream, no form, no request of a script; and nothing of a person's is kept.
const { version, offline, files } = JSON.parse("{{ kept|escapejs }}");
const KEPT = `earshot-${version}`;
const OUTBOX = "earshot-outbox";

let isAway = false;

self.addEventListener("install", (event) => event.waitUntil(keep()));
self.addEventListener("activate", (event) => event.waitUntil(begin()));
self.addEventListener("sync", (event) => event.tag === OUTBOX && event.waitUntil(send()));
self.addEventListener("fetch", (event) => {
  const { method, mode, url } = event.request;
  if (method !== "GET") return;
  if (mode === "navigate") event.respondWith(visit(event));
  else if (isAway && files.some((file) => url.endsWith(file))) event.respondWith(kept(event.request));
});

async function keep() {
  await (await caches.open(KEPT)).addAll([offline, ...files]);
  await self.skipWaiting();
}

async function begin() {
  await self.registration.navigationPreload?.enable(); // a visit does not wait until the worker has started
  const names = await caches.keys();
  await Promise.all(names.filter((name) => ![KEPT, OUTBOX].includes(name)).map((name) => caches.delete(name)));
}

async function visit({ request, preloadResponse }) {
  try {
    const answer = (await preloadResponse) ?? (await fetch(request));
    isAway = false;
    return answer;
  } catch {
    isAway = true;
    return kept(offline);
  }
}

async function kept(request) {
  return (await caches.match(request)) ?? Response.error();
}

/** In the order they were written in. A message is stored once, however often and by whomever it is sent. */
async function send() {
  const outbox = await caches.open(OUTBOX);
  for (const each of await outbox.keys()) {
    const waiting = await outbox.match(each);
    if (!waiting) continue; // its page has sent it, or taken it back
    const { url, fields, token } = await waiting.json();
    const headers = { Accept: "application/json", "X-CSRFToken": token };
    const { status } = await fetch(url, { method: "POST", headers, body: new URLSearchParams(fields) });
    if (status === 429 || status >= 500) throw new Error(`answered with ${status}`); // the browser calls again later
    await outbox.delete(each);
  }
}
