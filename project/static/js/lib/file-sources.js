/**
 * Have files taken that are picked in a form, pasted into a field, or dropped anywhere on a room.
 * @param {{room: HTMLElement, input: HTMLInputElement, field: HTMLElement, take: (files: File[]) => void}} places
 */
export function takeFilesFrom({ room, input, field, take }) {
  input.addEventListener("change", () => {
    const files = [...input.files];
    input.value = ""; // the same file can be picked again
    take(files);
  });
  field.addEventListener("paste", (event) => {
    const files = [...event.clipboardData.files];
    // A table that is copied comes as text and as its picture: the text is meant.
    if (!files.length || event.clipboardData.types.includes("text/plain")) return;
    event.preventDefault();
    take(files);
  });
  takeDropped(room, input, take);
}

function takeDropped(room, input, take) {
  const hint = room.querySelector("[data-drop-hint]");
  const isMeant = ({ dataTransfer }) => dataTransfer?.types.includes("Files") && !input.disabled;
  room.addEventListener("dragover", (event) => {
    if (!isMeant(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    hint.hidden = false;
  });
  room.addEventListener("dragleave", ({ relatedTarget }) => (hint.hidden ||= !room.contains(relatedTarget)));
  room.addEventListener("drop", (event) => {
    hint.hidden = true;
    if (!isMeant(event)) return;
    event.preventDefault();
    take([...event.dataTransfer.files]);
  });
}
