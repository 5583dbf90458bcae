from __future__ import annotations

from rooms.models import Room


def kinds(room: Room) -> list[str]:
    """Return the kinds of a room's events; their positions must be 1, 2, 3 and so on."""
    events = list(room.events.order_by("position"))
    room.refresh_from_db()
    assert [event.position for event in events] == list(range(1, room.last_position + 1))
    return [event.kind for event in events]
