// What a room's page has. The room itself comes last: it speaks to the others.
import "./elements/local-time.js";
import "./elements/connection-state.js";
import "./elements/member-list.js";
import "./elements/typing-line.js";
import "./elements/reply-bar.js";
import "./elements/send-pause.js";
import "./elements/file-tray.js";
import "./elements/file-lightbox.js";
import "./elements/message-editor.js";
import "./elements/message-actions.js";
import "./elements/message-composer.js";
import "./elements/more-messages.js";
import "./elements/message-list.js";
import "./elements/message-scroller.js";
import "./elements/earshot-room.js";
import { Roving } from "./lib/roving.js";

new Roving(document.querySelector("[data-rows]"));
