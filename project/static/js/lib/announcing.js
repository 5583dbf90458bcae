const SAID = 10_000; // milliseconds: a screen reader has taken it up by then

/** Say, to be seen and to be heard, why something `failed`, or is `unloaded`: as the server says it, or the page. */
export function complain(error, what = "unloaded") {
  const room = document.querySelector("earshot-room");
  const seen = room.querySelector("[data-who]");
  const reason = (error.status && error.message) || room.dataset[what];
  seen.textContent = room.querySelector("[data-answered]").textContent = reason;
  seen.showPopover();
}

/** Have screen readers say a text, after what they are saying. Return its line: every text has one, so none is lost. */
export function announce(text) {
  const line = Object.assign(document.createElement("p"), { textContent: text });
  document.querySelector("[data-announcer]").append(line);
  setTimeout(() => line.remove(), SAID);
  return line;
}
