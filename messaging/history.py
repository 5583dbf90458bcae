"""Reading a room's messages by position, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from messaging.models import Message, MessageQuerySet
from rooms.models import Room


@dataclass(frozen=True)
class HistoryPage:
    """Messages in order, oldest first. `has_more` tells whether there are others further in the direction asked for."""

    messages: list[Message]
    has_more: bool

    @property
    def oldest_position(self) -> int:
        return self.messages[0].position if self.messages else 0


def page_before(room: Room, position: int | None = None, limit: int = settings.HISTORY_PAGE) -> HistoryPage:
    """Return the last `limit` messages below a position, or of all."""
    messages = _known(room).with_people().order_by("-position")
    if position is not None:
        messages = messages.before(position)
    newest_first = list(messages[: limit + 1])
    return HistoryPage(newest_first[:limit][::-1], has_more=len(newest_first) > limit)


def page_after(room: Room, position: int, limit: int = settings.HISTORY_PAGE) -> HistoryPage:
    """Return the first `limit` messages above a position."""
    messages = _known(room).with_people().after(position).order_by("position")
    found = list(messages[: limit + 1])
    return HistoryPage(found[:limit], has_more=len(found) > limit)


def _known(room: Room) -> MessageQuerySet:
    """Return the room's messages as far as its log went when the reader was found to be entitled to it.

    Their right may have ended since, and what was said after that is not for them.
    """
    return Message.objects.filter(room=room, position__lte=room.last_position)
