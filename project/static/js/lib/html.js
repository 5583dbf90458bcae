// The one place where a server's HTML becomes elements. It was made safe before it was stored (messaging/markup.py);
// everything else enters the page as text.

/** Return the rows (`<li>`) in a piece of the server's HTML. */
export function rowsFrom(html) {
  return [...fragmentOf(html).children].filter((element) => element.matches("li"));
}

/** Put a message's rendered text into an element. */
export function fill(element, html) {
  element.replaceChildren(fragmentOf(html));
}

function fragmentOf(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return document.importNode(template.content, true);
}
