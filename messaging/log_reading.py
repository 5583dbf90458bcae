"""The one statement that reads a room's log with all that its events show, and the one that tells how far logs are."""

from __future__ import annotations

from typing import Any

from django.db import models

from accounts.models import User
from messaging.attachments import fetch_for
from messaging.models import Message, Reaction
from project.realtime import prepared
from rooms.models import Event, Room

# Every process with viewers runs this for every event. Compiling the same joins in the ORM took ten times as long as
# running them; here the ORM only makes its objects out of the rows, with the fields that are shown.
_PERSON = {"id", "username", "name", "avatar_key"}
_SHOWN: dict[str, tuple[type[models.Model], set[str]]] = {
    "event": (Event, {"id", "room_id", "position", "kind", "actor_id", "member_id", "message_id", "change"}),
    "room": (
        Room,
        {"id", "slug", "name", "topic", "kind", "archived_at"}
        | {"who_posts", "who_invites", "who_calls_all", "who_pins", "slow_seconds", "history"},
    ),
    "message": (
        Message,
        {"id", "room_id", "position", "author_id", "client_id", "text", "html", "reply_to_id"}
        | {"created_at", "edited_at", "deleted_at", "pinned_at", "attachment_count"},
    ),
    "author": (User, _PERSON),
    "quoted": (Message, {"id", "position", "author_id", "text", "html", "deleted_at", "attachment_count"}),
    "quoted_author": (User, _PERSON),
    "actor": (User, _PERSON),
    "member": (User, _PERSON),
}
# In the statement's text: PostgreSQL plans for a limit that it does not know as for a tenth of the table.
READ_MAX = 100
# `Model.from_db` takes the columns in the order of the model's fields.
_SELECTED = [
    (alias, model, [field.attname for field in model._meta.concrete_fields if field.attname in shown])
    for alias, (model, shown) in _SHOWN.items()
]
_COLUMNS = ", ".join(f"{alias}.{column}" for alias, _model, columns in _SELECTED for column in columns)
_READ = f"""
SELECT membership.role, (SELECT coalesce(max(number), 0) FROM accounts_revocation), reactions.found, {_COLUMNS}
FROM (
    SELECT * FROM rooms_event WHERE room_id = %s AND position > %s ORDER BY position LIMIT {READ_MAX}
) event
JOIN rooms_room room ON room.id = event.room_id
LEFT JOIN messaging_message message ON message.id = event.message_id
LEFT JOIN accounts_user author ON author.id = message.author_id
LEFT JOIN messaging_message quoted ON quoted.id = message.reply_to_id
LEFT JOIN accounts_user quoted_author ON quoted_author.id = quoted.author_id
LEFT JOIN accounts_user actor ON actor.id = event.actor_id
LEFT JOIN accounts_user member ON member.id = event.member_id
LEFT JOIN rooms_membership membership ON membership.room_id = event.room_id AND membership.user_id = event.member_id
LEFT JOIN LATERAL (
    SELECT json_agg(ARRAY[reaction.emoji, person.id::text, person.username, person.name] ORDER BY reaction.id) AS found
    FROM messaging_reaction reaction JOIN accounts_user person ON person.id = reaction.user_id
    WHERE reaction.message_id = message.id
) reactions ON true
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
    found: dict[str, Any] = {}
    start = 0
    for alias, model, columns in _SELECTED:
        values = row[start : start + len(columns)]
        found[alias] = None if values[0] is None else model.from_db("default", columns, values)
        start += len(columns)
    event: Event = found["event"]
    message = found["message"]
    event.room, event.message, event.actor, event.member = found["room"], message, found["actor"], found["member"]
    if message:
        message.author, message.reply_to = found["author"], found["quoted"]
        message.found_reactions = [_reaction(*each) for each in reactions or ()]
    if found["quoted"]:
        found["quoted"].author = found["quoted_author"]
    return event


def _reaction(emoji: str, user_id: str, username: str, name: str) -> Reaction:
    return Reaction(emoji=emoji, user=User(pk=int(user_id), username=username, name=name))
