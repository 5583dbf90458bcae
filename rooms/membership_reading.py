"""The one statement that reads a membership with its room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from project.realtime import prepared
from rooms.models import Membership, Room

if TYPE_CHECKING:
    from accounts.models import User

# Every request in a room begins with this, and every stream that comes back: in the ORM it took as long as the session
# and the person together. `Model.from_db` takes the columns in the order of the model's fields.
_MEMBERSHIP = [field.attname for field in Membership._meta.concrete_fields]
_ROOM = [field.attname for field in Room._meta.concrete_fields]
_COLUMNS = ", ".join([f"membership.{column}" for column in _MEMBERSHIP] + [f"room.{column}" for column in _ROOM])
_READ = f"""
SELECT {_COLUMNS}, (
    SELECT string_agg(words, E'\\n') FROM rooms_wordfilter filter
    WHERE filter.room_id = room.id OR filter.room_id IS NULL
)
FROM rooms_room room
JOIN rooms_membership membership ON membership.room_id = room.id
WHERE room.slug = %s AND membership.user_id = %s AND room.deleted_at IS NULL
"""  # noqa: S608 (made of the constants above)


def membership_of(user: User, slug: str) -> Membership | None:
    """Return a person's membership in force of a room, and the room with it in the same snapshot."""
    rows = prepared.fetch(_READ, [slug, user.pk])
    if not rows:
        return None
    membership = Membership.from_db("default", _MEMBERSHIP, rows[0][: len(_MEMBERSHIP)])
    membership.room = Room.from_db("default", _ROOM, rows[0][len(_MEMBERSHIP) : -1])
    membership.room.filtered_words = rows[0][-1] or ""
    membership.user = user
    return membership
