/** Open the picker, whose module comes when it is first wanted; `picked` is told which emoji was taken. */
export async function pickEmoji(picked) {
  await import("../elements/emoji-picker.js");
  document.querySelector("emoji-picker").open(picked);
}
