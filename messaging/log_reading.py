"""The one statement that reads a room's log with all that its events show, and the one that tells how far logs are."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from messaging.attachments import fetch_for
from messaging.row_reading import MESSAGE, MESSAGE_JOINS, PERSON, Columns, message_from
from project.realtime import prepared
from rooms.models import Event, Room

# Every process with viewers runs this for every event. Compiling the same joins in the ORM took ten times as long as
# running them; here the ORM only makes its objects out of the rows, with the fields that are shown.
_COLUMNS = Columns(
    {
        "event": (Event, {"id", "room_id", "position", "kind", "actor_id", "member_id", "message_id", "change"}),
        "room": (
            Room,
            {"id", "slug", "name", "topic", "kind", "archived_at"}
            | {"who_posts", "who_invites", "who_calls_all", "who_pins", "slow_seconds", "history"},
        ),
        **MESSAGE,
        "actor": (User, PERSON),
        "member": (User, PERSON),
    }
)
# In the statement's text: PostgreSQL plans for a limit that it does not know as for a tenth of the table.
READ_MAX = 100
_READ = f"""
SELECT membership.role, (SELECT coalesce(max(number), 0) FROM accounts_revocation), reactions.found, {_COLUMNS.text}
FROM (
    SELECT * FROM rooms_event WHERE room_id = %s AND position > %s ORDER BY position LIMIT {READ_MAX}
) event
JOIN rooms_room room ON room.id = event.room_id
LEFT JOIN messaging_message message ON message.id = event.message_id{MESSAGE_JOINS}
LEFT JOIN accounts_user actor ON actor.id = event.actor_id
LEFT JOIN accounts_user member ON member.id = event.member_id
LEFT JOIN rooms_membership membership ON membership.room_id = event.room_id AND membership.user_id = event.member_id
ORDER BY event.position
LIMIT %s
"""  # noqa: S608 (made of the constants above)


def last_positions(room_ids: list[int]) -> dict[int, int]:
    """Return the last position in the log of each of these rooms that there is, deleted or not."""
    statement = "SELECT id, last_position FROM rooms_room WHERE id = ANY(%s::bigint[])"
    return dict(prepared.fetch(statement, [room_ids]))


def events_after(room_id: int, position: int, limit: int) -> list[tuple[Event, str | None, int]]:
    """Return up to `limit` events of a room's log after a position (and up to READ_MAX), in order.

    Each comes with its member's role now, and with the number of the last revocation in the same snapshot.
    """
    rows = prepared.fetch(_READ, [room_id, position, limit])
    found = [(_event(row[3:], row[2]), row[0], row[1]) for row in rows]
    fetch_for(event.message for event, _role, _revoked in found if event.message)
    return found


def _event(row: tuple[Any, ...], reactions: list[list[str]] | None) -> Event:
    """Make the event and all it refers to out of one row."""
    found = _COLUMNS.objects(row)
    event: Event = found["event"]
    event.room, event.actor, event.member = found["room"], found["actor"], found["member"]
    event.message = message_from(found, reactions)
    return event
