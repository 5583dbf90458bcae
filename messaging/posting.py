"""The one statement that posts a message."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from messaging.markup import VERSION
from project.realtime import prepared

# One round trip instead of six while the room is locked, and no ORM between them: it is the busiest write there is.
# It does nothing unless the author is a member, the room is open and the client_id is new, all of them read after the
# lock was taken (`lock`, a statement of its own, so that this one's snapshot is younger than the lock).
# An author who has read all that others wrote has read their own message too, and so no search for unread ones ever
# goes through all of somebody's own. One who has not keeps their place.
_LOCK = "SELECT FROM rooms_room WHERE id = %s FOR NO KEY UPDATE"
_POST = """
WITH moved AS (
    UPDATE rooms_room SET last_position = last_position + 1
    WHERE id = %(room)s AND archived_at IS NULL AND deleted_at IS NULL
        AND EXISTS (SELECT FROM rooms_membership WHERE room_id = %(room)s AND user_id = %(author)s)
        AND NOT EXISTS (SELECT FROM messaging_message WHERE author_id = %(author)s AND client_id = %(client_id)s)
    RETURNING last_position AS position
), posted AS (
    INSERT INTO messaging_message
        (room_id, position, author_id, client_id, text, html, html_version, reply_to_id, attachment_count)
    SELECT %(room)s::bigint, position, %(author)s::bigint, %(client_id)s, %(text)s::text, %(html)s::text,
        %(version)s::smallint, %(reply_to)s::bigint, %(files)s::smallint
    FROM moved
    RETURNING id, position, created_at
), caught_up AS (
    UPDATE rooms_membership membership SET last_read_position = posted.position FROM posted
    WHERE membership.room_id = %(room)s AND membership.user_id = %(author)s AND (
        SELECT position FROM rooms_event event
        WHERE event.room_id = %(room)s AND event.position > membership.last_read_position
            AND kind = 'message_created' AND actor_id IS DISTINCT FROM %(author)s
        ORDER BY position LIMIT 1
    ) IS NULL
), logged AS (
    INSERT INTO rooms_event (room_id, position, kind, actor_id, message_id)
    SELECT %(room)s::bigint, position, 'message_created', %(author)s::bigint, id FROM posted
)
SELECT id, position, created_at FROM posted
"""


class Row(NamedTuple):
    id: int
    position: int
    created_at: datetime


def lock(room_id: int) -> None:
    """Take the room's row lock until the transaction ends, as `rooms.log.lock` does."""
    prepared.fetch(_LOCK, [room_id])


def insert(
    room_id: int, *, author_id: int, client_id: UUID, text: str, html: str, reply_to_id: int | None, files: int = 0
) -> Row | None:
    """Write a message and its event at the next position of a locked room; None if a condition does not hold."""
    parameters: dict[str, str | int | UUID | None] = {
        "room": room_id,
        "author": author_id,
        "client_id": client_id,
        "text": text,
        "html": html,
        "version": VERSION,
        "reply_to": reply_to_id,
        "files": files,
    }
    rows = prepared.fetch(_POST, parameters)
    return Row(*rows[0]) if rows else None
