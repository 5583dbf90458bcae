// What this browser keeps for a person. Storage may be full or forbidden: then nothing is kept, and nothing breaks.

const PREFIX = "earshot:";

export function recall(key) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + key));
  } catch {
    return null;
  }
}

/** Keep a text, a list or an object; an empty text or list, or null, is forgotten. */
export function keep(key, value) {
  try {
    const isEmpty = value === null || value.length === 0;
    if (!isEmpty) localStorage.setItem(PREFIX + key, JSON.stringify(value));
    else localStorage.removeItem(PREFIX + key);
  } catch {
    // Nothing to be done, and the page works without.
  }
}

export function forgetAll() {
  try {
    const ours = Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
    ours.forEach((key) => localStorage.removeItem(key));
    caches.delete("earshot-outbox"); // lib/background.js
  } catch {
    // As above.
  }
}

/** Whether this was not yet done in the last `milliseconds` in this tab. Guards against a page that reloads for ever. */
export function mayDo(key, milliseconds) {
  try {
    const last = Number(sessionStorage.getItem(PREFIX + key));
    sessionStorage.setItem(PREFIX + key, Date.now());
    return Date.now() - last > milliseconds;
  } catch {
    return false;
  }
}
