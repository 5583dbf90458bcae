"""Reading a room's messages by position, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404

from accounts.models import User
from messaging.attachments import fetch_for
from messaging.models import Message, MessageQuerySet
from messaging.notices import NOTICES_MAX, Notice, Row, joined
from messaging.page_reading import NEWEST_FIRST, OLDEST_FIRST, Reading, events_between, messages_between
from rooms.models import Event, Membership, Room

UNREAD_MAX = 100


@dataclass(frozen=True)
class HistoryPage:
    """Messages in order, oldest first. `has_more` tells whether there are others further in the direction asked for."""

    messages: list[Message]
    has_more: bool

    def __post_init__(self) -> None:
        fetch_for(self.messages)

    @property
    def oldest_position(self) -> int:
        return self.messages[0].position if self.messages else 0


@dataclass(frozen=True)
class Pin:
    """A message that is pinned, and by whom, unless they have left the site."""

    message: Message
    by: User | None


def page_before(room: Room, position: int | None = None, limit: int = settings.HISTORY_PAGE) -> HistoryPage:
    """Return the last `limit` messages below a position, or of all."""
    found = messages_between(NEWEST_FIRST, room.pk, room.readable_after, _end(room, position), limit + 1)
    return HistoryPage(readable(room, found[:limit][::-1]), has_more=len(found) > limit)


def page_after(room: Room, position: int, limit: int = settings.HISTORY_PAGE) -> HistoryPage:
    """Return the first `limit` messages above a position."""
    above = max(position, room.readable_after)
    found = messages_between(OLDEST_FIRST, room.pk, above, _end(room), limit + 1)
    return HistoryPage(readable(room, found[:limit]), has_more=len(found) > limit)


def readable(room: Room, messages: list[Message]) -> list[Message]:
    """Return messages without the quotes of what their reader may not read."""
    for message in messages if room.readable_after else ():
        if message.reply_to and message.reply_to.position <= room.readable_after:
            message.reply_to = None
    return messages


def message_of(room: Room, message_id: int) -> Message:
    """Return a message by its id, in this room only and only if its reader may read it; else it is not found."""
    messages = Message.objects.with_people().select_related("room").after(room.readable_after)
    return readable(room, [get_object_or_404(messages, room=room, pk=message_id)])[0]


def pinned(room: Room) -> MessageQuerySet:
    """Return what is pinned to a room, as far as its reader may read it, the last pinned first."""
    return _known(room).filter(pinned_at__isnull=False).order_by("-pinned_at", "-position")


def pins(room: Room) -> list[Pin]:
    """Return what is pinned to a room, as `pinned`, with who pinned it."""
    messages = list(pinned(room).with_people())
    fetch_for(messages)
    told = Event.objects.filter(kind=Event.Kind.MESSAGE_PINNED, message__in=messages).select_related("actor")
    newest = told.order_by("message_id", "-position").distinct("message_id")
    actors = {event.message_id: event.actor for event in newest}
    return [Pin(message, actors.get(message.pk)) for message in readable(room, messages)]


def _known(room: Room) -> MessageQuerySet:
    """Return the room's messages from where its reader may read, as far as its log went when they were found to.

    Their right may have ended since, and what was said after that is not for them.
    """
    return Message.objects.filter(room=room, position__gt=room.readable_after, position__lte=room.last_position)


@dataclass(frozen=True)
class HistoryView:
    """Rows as a page shows them, messages and the lines between them, oldest first."""

    rows: list[Row]
    has_older: bool
    has_newer: bool
    # The one that was asked for: where the page opens. 0 is its end.
    at: int = 0

    @property
    def oldest_position(self) -> int:
        return self.rows[0].position if self.rows else 0

    @property
    def newest_position(self) -> int:
        if not self.rows:
            return 0
        newest = self.rows[-1]
        return newest.last_position if isinstance(newest, Notice) else newest.position


def view_before(room: Room, position: int | None = None, limit: int = settings.HISTORY_PAGE) -> HistoryView:
    """Return the last `limit` messages below a position, or of all, with what is told between and after them."""
    page = page_before(room, position, limit)
    end = _end(room, position)
    above = room.readable_after
    if page.has_more:
        above = page.oldest_position if page.messages else end
    events, is_cut = _told(NEWEST_FIRST, room, above, end)
    messages = [each for each in page.messages if not is_cut or each.position > events[-1].position]
    return HistoryView(joined(events, messages), has_older=page.has_more or is_cut, has_newer=position is not None)


def view_after(room: Room, position: int, limit: int = settings.HISTORY_PAGE) -> HistoryView:
    """Return the first `limit` messages above a position, with what is told before and between them."""
    page = page_after(room, position, limit)
    end = page.messages[-1].position if page.has_more else _end(room)
    events, is_cut = _told(OLDEST_FIRST, room, max(position, room.readable_after), end)
    messages = [each for each in page.messages if not is_cut or each.position < events[-1].position]
    return HistoryView(
        joined(events, messages), has_older=position > room.readable_after, has_newer=page.has_more or is_cut
    )


def view_around(room: Room, position: int, limit: int = settings.HISTORY_PAGE) -> HistoryView:
    """Return what stands around a position, which need not be a message's, half of it on either side."""
    above = view_before(room, position, limit // 2)
    below = view_after(room, max(0, position - 1), limit - limit // 2)
    return HistoryView([*above.rows, *below.rows], above.has_older, below.has_newer, at=position)


def view_since(room: Room, moment: datetime, limit: int = settings.HISTORY_PAGE) -> HistoryView:
    """Return what stands around the first message posted at a moment or later, or the newest if there is none."""
    position = first_since(room, moment)
    return view_around(room, position, limit) if position else view_before(room, None, limit)


def view_for(room: Room, membership: Membership | None) -> HistoryView:
    """Return what a room opens with: the newest, or where a member's unread begins if that is further up."""
    first = _first_unread(room, membership) if membership else None
    if first and first <= _oldest_of_newest(room):
        return view_around(room, first)
    newest = view_before(room)
    return view_around(room, first) if first and first <= newest.oldest_position and newest.has_older else newest


def _first_unread(room: Room, membership: Membership) -> int | None:
    """Return the position of the first unread message, or None where the newest page shows it anyway."""
    if membership.last_read_position > room.last_position - settings.HISTORY_PAGE:
        return None
    return unread(membership).order_by("position").values_list("position", flat=True).first()


def _oldest_of_newest(room: Room) -> int:
    """Return the position of the first message on the newest page, or 0 if there is no earlier one."""
    positions = _known(room).order_by("-position").values_list("position", flat=True)
    newest = positions[settings.HISTORY_PAGE - 1 : settings.HISTORY_PAGE + 1]
    return newest[0] if len(newest) == 2 else 0


def first_since(room: Room, moment: datetime) -> int | None:
    """Return the position of the first message posted at a moment or later.

    Times rise with the positions, so halving finds it, in as many looks at one row of the index as the number of
    positions has bits: no index on the time has to be kept up by every post.
    """
    low, high, found = 0, room.last_position, None
    messages = _known(room).order_by("position").values_list("position", "created_at")
    while low < high:
        middle = (low + high) // 2
        position, created_at = messages.filter(position__gt=middle).first() or (0, moment)
        if created_at >= moment:
            high, found = middle, position or found
        else:
            low = position
    return found


def count_unread(membership: Membership | None, after: int) -> int:
    """Return how many unread messages stand above a position, counted up to UNREAD_MAX."""
    if membership is None:
        return 0
    # In order, or PostgreSQL may look for the first of them through all rooms' events.
    return unread(membership).filter(position__gt=after).order_by("position")[:UNREAD_MAX].count()


def unread(membership: Membership) -> QuerySet[Event]:
    """Return the events of the messages that others wrote after a member's read position."""
    created = Event.objects.filter(room=membership.room_id, kind=Event.Kind.MESSAGE_CREATED)
    return created.filter(position__gt=membership.last_read_position).exclude(actor=membership.user_id)


def _told(direction: Reading, room: Room, above: int, below: int) -> tuple[list[Event], bool]:
    """Return what is told between two positions, and whether that is not all."""
    events = events_between(direction, room.pk, above, below, NOTICES_MAX + 1)
    return events[:NOTICES_MAX], len(events) > NOTICES_MAX


def _end(room: Room, position: int | None = None) -> int:
    """Return the position below which a page is read: as far as the log went, as `_known`."""
    end = room.last_position + 1
    return end if position is None else min(position, end)
