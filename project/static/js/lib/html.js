// The one place where a server's HTML becomes elements. It was made safe before it was stored (messaging/markup.py);
// everything else enters the page as text.
import { sentence } from "./part.js";

/** Return the rows (`<li>`) in a piece of the server's HTML, in the page's language: live ones are the same for everyone. */
export function rowsFrom(html) {
  const fragment = fragmentOf(html);
  const sentences = document.querySelector("message-list").dataset;
  for (const each of fragment.querySelectorAll("[data-says]")) {
    each.textContent = sentence(sentences[each.dataset.says] ?? each.textContent, each.dataset);
  }
  const { lang } = document.documentElement;
  for (const each of fragment.querySelectorAll("[data-languages]")) each.textContent = each.getAttribute(`data-in-${lang}`) ?? each.textContent;
  return [...fragment.children].filter((element) => element.matches("li"));
}

/** Put a message's rendered text into an element. */
export function fill(element, html) {
  element.replaceChildren(fragmentOf(html));
}

/** Return what a message's rendered text says; spoilers stay covered. */
export function textOf(html) {
  const fragment = fragmentOf(html);
  for (const spoiler of fragment.querySelectorAll(".spoiler")) spoiler.textContent = "▒▒▒";
  return fragment.textContent;
}

function fragmentOf(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return document.importNode(template.content, true);
}
