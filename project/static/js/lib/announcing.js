const SAID = 10_000; // milliseconds: a screen reader has taken it up by then

/** Have screen readers say a text, after what they are saying. Return its line: every text has one, so none is lost. */
export function announce(text) {
  const line = Object.assign(document.createElement("p"), { textContent: text });
  document.querySelector("[data-announcer]").append(line);
  setTimeout(() => line.remove(), SAID);
  return line;
}
