"""The statements that read a page of a room: its messages, with all that is shown of them, and the events between."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.conf import settings

from accounts.models import User
from messaging.models import Message
from messaging.notices import NOTICES_MAX
from messaging.row_reading import MESSAGE, MESSAGE_JOINS, PERSON, Columns, message_from
from project.realtime import prepared
from rooms.models import Event

_MESSAGES = Columns(MESSAGE)
_EVENTS = Columns(
    {
        "event": (
            Event,
            {"id", "room_id", "position", "kind", "actor_id", "member_id", "message_id", "change", "created_at"},
        ),
        "actor": (User, PERSON),
        "member": (User, PERSON),
    }
)
# In the statements' text, for the reason that `log_reading` has.
READ_MAX = settings.HISTORY_PAGE_MAX + 1


def _messages(order: str) -> str:
    # By the ORM it took a fifth of what a room's page takes, nearly all of it for making the statement.
    return f"""
SELECT reactions.found, {_MESSAGES.text}
FROM (
    SELECT * FROM messaging_message WHERE room_id = %s AND position > %s AND position < %s
    ORDER BY position {order} LIMIT {READ_MAX}
) message{MESSAGE_JOINS}
ORDER BY message.position {order}
LIMIT %s
"""  # noqa: S608 (made of the constants above)


def _events(order: str) -> str:
    return f"""
SELECT {_EVENTS.text}
FROM (
    SELECT * FROM rooms_event WHERE room_id = %s AND position > %s AND position < %s AND message_id IS NULL
    ORDER BY position {order} LIMIT {NOTICES_MAX + 1}
) event
LEFT JOIN accounts_user actor ON actor.id = event.actor_id
LEFT JOIN accounts_user member ON member.id = event.member_id
ORDER BY event.position {order}
LIMIT %s
"""  # noqa: S608 (made of the constants above)


class Reading(NamedTuple):
    """The statements for one direction. Each takes a room, two positions and how many there may be."""

    messages: str
    events: str


OLDEST_FIRST, NEWEST_FIRST = (Reading(_messages(order), _events(order)) for order in ("ASC", "DESC"))


def messages_between(direction: Reading, room_id: int, above: int, below: int, limit: int) -> list[Message]:
    """Return the first `limit` messages (and up to READ_MAX) with positions between two."""
    rows = prepared.fetch(direction.messages, [room_id, above, below, limit])
    return [message for row in rows if (message := message_from(_MESSAGES.objects(row[1:]), row[0]))]


def events_between(direction: Reading, room_id: int, above: int, below: int, limit: int) -> list[Event]:
    """Return the first `limit` events of no message (and up to NOTICES_MAX + 1) with positions between two."""
    return [_event(row) for row in prepared.fetch(direction.events, [room_id, above, below, limit])]


def _event(row: tuple[Any, ...]) -> Event:
    found = _EVENTS.objects(row)
    event: Event = found["event"]
    event.actor, event.member = found["actor"], found["member"]
    return event
