const SAID = 10_000; // milliseconds: a screen reader has taken it up by then

/** Say, to be seen and to be heard, why something could not be done: what the server says, or `otherwise`. */
export function complain(error, otherwise) {
  const room = document.querySelector("earshot-room");
  const seen = room.querySelector("[data-who]");
  const reason = (error.status && error.message) || otherwise || room.dataset.unloaded;
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
