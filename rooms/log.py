"""Appending to a room's log. Actions call this inside their transaction; only imports write events without it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.db import transaction
from django.http import Http404
from django.shortcuts import get_object_or_404

from project.realtime.notify import (
    ACTIVITY_CHANNEL,
    Notification,
    activity,
    log_changed,
    logs_changed,
    publish_all,
)
from rooms.models import Event, Room

if TYPE_CHECKING:
    from accounts.models import User


def lock(room: Room) -> Room:
    """Return the room as it is now, its row locked until the transaction ends.

    The lock makes positions follow commit order: whoever can see event N can see every event below it.
    Raises `Http404` for a room that has been deleted meanwhile, softly or not.
    """
    locked = lock_even_deleted(room)
    if locked.is_deleted:
        raise Http404
    return locked


def lock_even_deleted(room: Room) -> Room:
    return get_object_or_404(Room.with_deleted.select_for_update(no_key=True), pk=room.pk)


def next_position(room: Room) -> int:
    """Give out the next position of a room locked by `lock`."""
    room.last_position += 1
    room.save(update_fields=["last_position"])
    return room.last_position


def append(
    room: Room,
    kind: Event.Kind,
    *,
    actor: User | None,
    message_id: int | None = None,
    member: User | None = None,
    position: int | None = None,
    also: Sequence[Notification] = (),
    change: str = "",
) -> Event:
    """Append one event to a room locked by `lock`, and wake its readers once the transaction has committed."""
    position = position or next_position(room)
    event = Event.objects.create(
        room=room, position=position, kind=kind, actor=actor, message_id=message_id, member=member, change=change
    )
    announce(room, position, kind, actor_id=event.actor_id, member_id=event.member_id, also=also)
    return event


def announce(
    room: Room,
    position: int,
    kind: Event.Kind,
    *,
    actor_id: int | None,
    member_id: int | None = None,
    also: Sequence[Notification] = (),
) -> None:
    """Wake the readers of an event once the transaction that wrote it has committed; `also` are sent with it."""
    wake_ups = [(room.channel_name, str(position)), *also]
    if kind == Event.Kind.MESSAGE_CREATED:
        wake_ups.append((ACTIVITY_CHANNEL, activity(room.pk, actor_id)))
    elif kind == Event.Kind.ROOM_DELETED:
        wake_ups.append((ACTIVITY_CHANNEL, log_changed(room.pk)))
    elif member_id:
        wake_ups.append((ACTIVITY_CHANNEL, logs_changed(member_id)))
    # After the commit, as a statement of its own: inside the transaction NOTIFY would hold a lock of the whole server
    # until the flush. A wake-up that is lost is made good by the readers' own look at the table.
    # A lambda: when a robust hook fails, Django logs it by a name that a `partial` has not, and fails itself.
    transaction.on_commit(lambda: publish_all(wake_ups), robust=True)
