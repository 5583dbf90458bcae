"""The one statement that posts a message."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from messaging.markup import VERSION
from project.limits import Wanted
from project.realtime import prepared

# One round trip instead of six while the room is locked, and no ORM between them: it is the busiest write there is.
# It does nothing unless the author may write here (rooms.access.writing_refusal says the same in words), the client_id
# is new and no limit is reached, all of them read after the lock was taken (`lock`, a statement of its own, so that
# this one's snapshot is younger than the lock). The buckets are those of project.limits.
# An author who has read all that others wrote has read their own message too, and so no search for unread ones ever
# goes through all of somebody's own. One who has not keeps their place.
_LOCK = "SELECT FROM rooms_room WHERE id = %s FOR NO KEY UPDATE"
_POST = """
WITH allowed AS (
    SELECT room.id, room.slow_seconds, membership.role
    FROM rooms_room room
    JOIN rooms_membership membership ON membership.room_id = room.id AND membership.user_id = %(author)s
    WHERE room.id = %(room)s AND room.archived_at IS NULL AND room.deleted_at IS NULL
        AND (room.who_posts = 'member' OR membership.role IN (room.who_posts, 'owner'))
        AND NOT EXISTS (SELECT FROM messaging_message WHERE author_id = %(author)s AND client_id = %(client_id)s)
        AND NOT EXISTS (
            SELECT FROM rooms_mute mute WHERE mute.user_id = %(author)s
                AND (mute.room_id = room.id OR mute.room_id IS NULL)
                AND (mute.expires_at IS NULL OR mute.expires_at > statement_timestamp())
        )
        AND (membership.role <> 'member' OR NOT EXISTS (
            SELECT FROM rooms_raid raid WHERE (raid.room_id = room.id OR raid.room_id IS NULL)
                AND raid.expires_at > statement_timestamp()
                AND statement_timestamp() - %(author_since)s::timestamptz < raid.hours * interval '1 hour'
        ))
), wanted AS (
    SELECT each.key, each.cost * interval '1 second' AS cost, each.span * interval '1 second' AS span
    FROM allowed, unnest(%(keys)s::text[], %(costs)s::float8[], %(spans)s::float8[]) AS each(key, cost, span)
    UNION ALL
    SELECT 'slow:' || id || ':' || %(author)s::bigint, slow_seconds * interval '1 s', slow_seconds * interval '1 s'
    FROM allowed WHERE slow_seconds > 0 AND role = 'member'
), taken AS (
    INSERT INTO buckets AS bucket (key, full_at)
    SELECT key, statement_timestamp() + cost FROM wanted ORDER BY key
    ON CONFLICT (key) DO UPDATE
    SET full_at = GREATEST(bucket.full_at, statement_timestamp()) + (EXCLUDED.full_at - statement_timestamp())
    WHERE GREATEST(bucket.full_at, statement_timestamp()) + (EXCLUDED.full_at - statement_timestamp())
        <= statement_timestamp() + (SELECT span FROM wanted WHERE wanted.key = EXCLUDED.key)
    RETURNING key
), moved AS (
    UPDATE rooms_room SET last_position = last_position + 1
    FROM allowed
    WHERE rooms_room.id = allowed.id AND (SELECT count(*) FROM taken) = (SELECT count(*) FROM wanted)
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
    room_id: int,
    *,
    author_id: int,
    author_since: datetime,
    client_id: UUID,
    text: str,
    html: str,
    reply_to_id: int | None,
    files: int,
    wanted: Sequence[Wanted],
) -> Row | None:
    """Write a message and its event at the next position of a locked room; None if a condition does not hold.

    What was taken of some of the limits then, the caller gives back by rolling the transaction back.
    """
    parameters: dict[str, object] = {
        "room": room_id,
        "author": author_id,
        "author_since": author_since,
        "client_id": client_id,
        "text": text,
        "html": html,
        "version": VERSION,
        "reply_to": reply_to_id,
        "files": files,
        "keys": [each.key for each in wanted],
        "costs": [each.cost for each in wanted],
        "spans": [each.span for each in wanted],
    }
    rows = prepared.fetch(_POST, parameters)
    return Row(*rows[0]) if rows else None
