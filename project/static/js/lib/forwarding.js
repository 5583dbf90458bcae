import { post } from "./http.js";
import { sentence } from "./part.js";
import { uuid } from "./uuid.js";

/** Ask which of the person's rooms a message goes to, and have the server take it there. */
export function forward(room, row) {
  const dialog = room.querySelector("[data-forward]");
  const form = dialog.querySelector("form");
  const error = dialog.querySelector("[data-error]");
  const client_id = uuid(); // so that pressing twice forwards once
  const links = document.querySelectorAll(".room-link[data-room]");
  form.elements.room.replaceChildren(...[...links].map((link) => new Option(link.textContent.trim().split("\n")[0], link.dataset.room)));
  error.textContent = "";
  form.onsubmit = async (event) => {
    if (event.submitter.value !== "forward") return;
    event.preventDefault();
    const chosen = form.elements.room.selectedOptions[0];
    try {
      await post(`${room.dataset.messagesUrl}${row.dataset.id}/forward/`, { room: chosen.value, client_id });
      dialog.close();
      room.querySelector("[data-answered]").textContent = sentence(dialog.dataset.done, { room: chosen.text });
    } catch (refusal) {
      error.textContent = refusal.status ? refusal.message : room.dataset.failed;
    }
  };
  dialog.showModal();
}
