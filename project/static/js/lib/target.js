/** Show the message that the address names, also when it is not on the first page. */
export async function showTarget(list, older) {
  const position = Number(/^#message-(\d+)$/.exec(location.hash)?.[1]);
  if (!position) return;
  await older.reach(position);
  const row = document.getElementById(`message-${position}`);
  row?.scrollIntoView({ block: "center" });
  list.highlight(row);
}
