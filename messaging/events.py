"""A room's log as entries that can be sent: what each event says, as things are now."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.template.loader import get_template

from accounts.models import User
from messaging import markup, notices
from messaging.attachments import attached_to, attachment_data
from messaging.log_reading import events_after
from messaging.models import Message, MessageRevision
from project.realtime.feed import EVERYBODY, Entry, Restricted
from rooms.models import Event, Room

if TYPE_CHECKING:
    from messaging.history import Pin

# Changes of a room after which its members may read more of it, or less, than before.
RENEWING = {Room.Kind.PUBLIC, Room.Kind.PRIVATE, "history_full", "history_joined"}


def read_after(room_id: int, position: int, limit: int, *, rows: bool = True) -> list[Entry]:
    """Return up to `limit` entries of a room's log after a position, consecutive and in order.

    Their HTML, which costs more than all else, comes with `rows` only: a program's replay has no use for it.
    """
    entries = []
    for event, role, era in events_after(room_id, position, limit):
        entry = _entry(event, role, rows=rows)
        entry.era = era
        entries.append(entry)
    return entries


def _entry(event: Event, role: str | None, *, rows: bool) -> Entry:
    about: dict[str, Any] = {"position": event.position, "room": event.room.slug}
    if event.message:
        return Entry(
            event.position,
            event.kind,
            about,
            state={"message": message_data(event.message)},
            row=message_row(event.message, event.room.slug) if rows else None,
            subject=event.message.pk,
            restricted=_restricted(event, about, rows=rows),
            quotes=event.message.reply_to_id,
            revises=event.kind != Event.Kind.MESSAGE_CREATED,
        )
    row = notice_row(notices.line_of(event)) if rows and event.kind != Event.Kind.ROOM_DELETED else None
    if event.kind == Event.Kind.ROOM_CHANGED:
        changed = {"state": room_data(event.room)}
        return Entry(event.position, event.kind, about, state=changed, row=row, renews=event.change in RENEWING)
    if event.kind == Event.Kind.ROOM_DELETED:
        return Entry(event.position, event.kind, about, state={"actor": person_data(event.actor)}, ends_for=EVERYBODY)
    removed = event.member_id if event.kind == Event.Kind.MEMBERSHIP_REMOVED else None
    state = {
        "member": person_data(event.member),
        "actor": person_data(event.actor),
        "role": role,
    }
    return Entry(event.position, event.kind, about, state=state, row=row, ends_for=removed)


def _restricted(event: Event, about: dict[str, Any], *, rows: bool) -> Restricted | None:
    """Return what is shown instead to members who joined after what a message says, or quotes, where that matters."""
    message, room = event.message, event.room
    if message is None or not room.begins_at_joining:
        return None
    older: dict[str, Any] = {"message": None}
    quoted, unquoted = message.reply_to, older
    row = None
    if quoted:
        message.reply_to = None
        unquoted = {"message": message_data(message)}
        row = message_row(message, room.slug) if rows else None
        message.reply_to = quoted
    return Restricted(
        of=message.position,
        instead={**about, **older},
        quoted=quoted.position if quoted else None,
        unquoted={**about, **unquoted},
        unquoted_row=row,
    )


def message_data(message: Message) -> dict[str, Any]:
    """Return a message as the wire shows it; texts are empty once it is deleted."""
    return {
        "id": message.pk,
        "position": message.position,
        "client_id": str(message.client_id),
        "author": person_data(message.author),
        "text": message.text,
        "html": message.html,
        "created_at": _time(message.created_at),
        "edited_at": _time(message.edited_at),
        "deleted_at": _time(message.deleted_at),
        "pinned_at": _time(message.pinned_at),
        "reply_to": _quoted(message.reply_to),
        "reactions": [
            {"emoji": emoji, "people": [person_data(person) for person in people]} for emoji, people in message.reacted
        ],
        "attachments": [attachment_data(each) for each in attached_to(message)],
    }


def pin_data(pin: Pin) -> dict[str, Any]:
    return {"by": person_data(pin.by), "message": message_data(pin.message)}


def message_row(message: Message, room_slug: str) -> str:
    """Return a message's HTML, the same for every viewer."""
    # Not rendered from a request: a row may say nothing that only one viewer may know.
    return get_template("messaging/_message.html").render({"message": message, "room_slug": room_slug}).strip()


def notice_row(notice: notices.Notice) -> str:
    """Return the HTML of a line between the messages."""
    return get_template("messaging/_notice.html").render({"notice": notice}).strip()


def revision_data(revision: MessageRevision) -> dict[str, Any]:
    return {"text": revision.text, "html": revision.html, "written_at": _time(revision.written_at)}


def person_data(user: User | None) -> dict[str, Any] | None:
    if user is None:
        return None
    return {
        "id": user.pk,
        "username": user.username,
        "name": user.display_name,
        "initials": user.initials,
        "hue": user.hue,
        "avatar": user.avatar_url or None,
    }


def room_data(room: Room) -> dict[str, Any]:
    return {
        "name": room.name,
        "topic": room.topic,
        "kind": room.kind,
        "archived": room.is_archived,
        "policy": room.policy,
    }


def _quoted(message: Message | None) -> dict[str, Any] | None:
    if message is None:
        return None
    return {
        "id": message.pk,
        "position": message.position,
        "author": person_data(message.author),
        "excerpt": markup.excerpt(message.html, markup.EXCERPT_CHARACTERS),
    }


def _time(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None
