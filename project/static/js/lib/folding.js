import { part } from "./part.js";

/** Fold a row if the reader ignores its author: who wrote it is seen, and what only when it is asked for. */
export function fold(row, ignored) {
  if (!row.dataset.author || !ignored.split(" ").includes(row.dataset.author) || row.querySelector(".message__folded")) return;
  row.querySelector(".message__head")?.after(part("folded"));
  row.classList.add("message--folded");
}

export function unfold(row) {
  row.classList.remove("message--folded");
  row.querySelector(".message__folded")?.remove();
}
