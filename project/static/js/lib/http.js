// Requests to our own server. An answer that refuses becomes a Refusal; one that never came, fetch's TypeError.

const PATIENCE = 20_000; // milliseconds

export class Refusal extends Error {
  /**
   * @param {number} status
   * @param {Object<string, string[]>} errors - sentences by field
   * @param {number|null} retryAfter - milliseconds
   */
  constructor(status, errors, retryAfter) {
    super(Object.values(errors).flat().join(" "));
    this.status = status;
    this.retryAfter = retryAfter;
  }

  /** Whether the same request may succeed later. */
  get isPassing() {
    return this.status === 429 || this.status >= 500;
  }

  /** Whether the server asked to be left alone for `retryAfter`. */
  get isTooOften() {
    return this.status === 429 && this.retryAfter !== null;
  }
}

export async function post(url, fields, options = {}) {
  const headers = { Accept: "application/json", "X-CSRFToken": csrfToken() };
  const response = await ask(url, { method: "POST", headers, body: new URLSearchParams(fields), ...options });
  return response.status === 204 ? null : response.json();
}

export async function getJSON(url) {
  return (await ask(url, { headers: { Accept: "application/json" } })).json();
}

/** Return a page of history: its rows' HTML, whether there is more on either side, and the position asked for. */
export async function getRows(url) {
  const response = await ask(url, { headers: { Accept: "text/html" } });
  if (response.redirected) throw new Refusal(401, {}, null); // to the sign-in page, which has no rows
  const header = (name) => response.headers.get(`X-${name}`);
  const more = { hasOlder: header("Has-Older") === "true", hasNewer: header("Has-Newer") === "true" };
  return { html: await response.text(), ...more, at: Number(header("At")) };
}

/** Return the status that a stream would be answered with, or 0 when there is no answer in `patience` milliseconds. */
export async function streamStatus(url, patience) {
  const enough = new AbortController();
  const timer = setTimeout(() => enough.abort(), patience);
  try {
    return (await fetch(url, { headers: { Accept: "text/event-stream" }, signal: enough.signal })).status;
  } catch {
    return 0;
  } finally {
    clearTimeout(timer);
    enough.abort();
  }
}

async function ask(url, options) {
  const response = await fetch(url, { credentials: "same-origin", signal: AbortSignal.timeout(PATIENCE), ...options });
  if (!response.ok) throw new Refusal(response.status, await errorsIn(response), retryAfter(response));
  return response;
}

async function errorsIn(response) {
  try {
    return (await response.json()).errors ?? {};
  } catch {
    return {};
  }
}

function retryAfter(response) {
  const seconds = Number(response.headers.get("Retry-After"));
  return seconds > 0 ? seconds * 1000 : null;
}

export function csrfToken() {
  return document.querySelector("meta[name=csrf-token]")?.content ?? "";
}
