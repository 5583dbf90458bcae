// What people wrote, brought to life: code to copy, spoilers to uncover, long messages to unfold, links that say where.
import { part } from "./part.js";

const SLACK = 48; // pixels: so little more is not worth a button
const unfolded = new Set(); // messages, while the page is open

/** Make a row's text do what it can. Twice is once. */
export function enliven(row) {
  for (const code of row.querySelectorAll(".prose pre")) dress(code);
  for (const spoiler of row.querySelectorAll(".prose .spoiler:not([role])")) cover(spoiler);
  for (const link of row.querySelectorAll(".prose a")) mark(link);
  const body = row.querySelector(".message__body--long");
  if (body && !row.querySelector("[data-do=fold]")) fold(row, body);
}

/** Answer what is pressed in the rows of a room. */
export function listen(room, scroller) {
  room.addEventListener("click", (event) => {
    const spoiler = event.target.closest(".spoiler");
    if (spoiler) return uncover(spoiler, event);
    const button = event.target.closest("[data-do]");
    if (button?.dataset.do === "fold") turn(button, scroller);
    if (button?.dataset.do === "copy-code") copy(button);
  });
  room.addEventListener("keydown", (event) => {
    if ([" ", "Enter"].includes(event.key) && event.target.matches(".spoiler")) uncover(event.target, event);
  });
  // What is hidden by a fold is shown when it is tabbed to.
  room.addEventListener("focusin", ({ target }) => {
    const body = target.closest(".message__body--long:not(.message__body--open)");
    if (body) turn(body.closest("li").querySelector("[data-do=fold]"), scroller);
  });
}

function dress(code) {
  if (code.parentElement.matches(".code")) return;
  const box = Object.assign(document.createElement("div"), { className: "code" });
  if (!code.hasAttribute("tabindex")) code.tabIndex = 0; // long lines scroll, also by the keyboard
  code.replaceWith(box);
  box.append(code, part("copy-code"));
}

function cover(spoiler) {
  const inside = document.createElement("span"); // hidden by the style sheet until it is asked for
  inside.append(...spoiler.childNodes);
  spoiler.append(inside);
  const label = document.querySelector("message-list").dataset.spoiler;
  for (const [name, value] of Object.entries({ role: "button", tabindex: 0, "aria-expanded": false, "aria-label": label })) {
    spoiler.setAttribute(name, value);
  }
}

function uncover(spoiler, event) {
  if (spoiler.ariaExpanded === "true") return;
  event.preventDefault(); // nor is a link in it followed unseen
  spoiler.ariaExpanded = "true";
  spoiler.removeAttribute("aria-label");
}

function mark(link) {
  if (link.origin === location.origin) link.classList.add("link--here");
  else link.target = "_blank";
  link.title = link.href;
}

function fold(row, body) {
  const isOpen = unfolded.has(row.dataset.id);
  if (!isOpen && body.clientHeight && body.scrollHeight <= body.clientHeight + SLACK) {
    return body.classList.remove("message__body--long");
  }
  const button = part("fold");
  body.after(button);
  show(button, body, isOpen);
}

function turn(button, scroller) {
  const row = button.closest("li");
  const isOpen = button.ariaExpanded !== "true";
  unfolded[isOpen ? "add" : "delete"](row.dataset.id);
  scroller.hold(() => show(button, row.querySelector(".message__body"), isOpen), row);
}

function show(button, body, isOpen) {
  body.classList.toggle("message__body--open", isOpen);
  button.ariaExpanded = String(isOpen);
  button.textContent = isOpen ? button.dataset.less : button.dataset.more;
}

async function copy(button) {
  const code = button.parentElement.querySelector("pre");
  try {
    await navigator.clipboard.writeText(code.textContent);
    button.dispatchEvent(new CustomEvent("announce", { bubbles: true, detail: button.dataset.copied }));
    button.classList.add("code__copy--done");
  } catch {
    getSelection().selectAllChildren(code); // no clipboard on plain HTTP: the person's own keys copy it
  }
}
