"""What is told between the messages: who came and went, and what became of the room."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from django.conf import settings
from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from messaging.models import Message
from rooms.models import Event, Membership, Room

NOTICES_MAX = 100  # of one page, before they are joined
TOGETHER = timedelta(hours=1)
_NAMED = 2
_FIRST_POSITION = 1
Kind = Event.Kind


@dataclass(frozen=True)
class Notice:
    """Events of one kind that followed each other, told in one line."""

    events: list[Event]
    is_notice = True

    @property
    def position(self) -> int:
        return self.events[0].position

    @property
    def last_position(self) -> int:
        return self.events[-1].position

    @property
    def created_at(self) -> datetime:
        return self.events[0].created_at

    @property
    def sentence(self) -> str:
        first = self.events[0]
        values = {"actor": _name(first.actor), "names": self._names()}
        return _sentence(first) % values

    @property
    def sentences(self) -> dict[str, str]:
        """The sentence in each language: a live row is the same for all who see it."""
        found = {}
        for code, _language in settings.LANGUAGES:
            with translation.override(code):
                found[code] = self.sentence
        return found

    def takes(self, event: Event) -> bool:
        """Whether an event that comes next belongs into this line."""
        first = self.events[0]
        return _sort(event) == _sort(first) and event.created_at - first.created_at < TOGETHER

    def _names(self) -> str:
        people = list(dict.fromkeys(_name(event.member) for event in self.events))
        others = len(people) - _NAMED
        if others < 1:
            return _(" and ").join(people)
        named = ", ".join(people[:_NAMED])
        return ngettext("%(named)s and %(count)d other", "%(named)s and %(count)d others", others) % {
            "named": named,
            "count": others,
        }


Row = Message | Notice


def told(room_id: int) -> QuerySet[Event]:
    """Return the events of a room that are told between its messages."""
    return Event.objects.filter(room=room_id, message__isnull=True).select_related("actor", "member")


def joined(events: Iterable[Event], messages: Iterable[Message]) -> list[Row]:
    """Return messages and events as rows in order: events that no message stands between share a line if they can."""
    rows: list[Row] = []
    both: list[Event | Message] = [*events, *messages]
    for is_message, run in groupby(sorted(both, key=_position), key=lambda each: isinstance(each, Message)):
        found = list(run)
        rows += found if is_message else _lines(found)  # type: ignore[arg-type]  # a run is all of one or all of the other
    return rows


def line_of(event: Event) -> Notice:
    """Return the line in which an event is told, as far as it has come with that event."""
    message = Message.objects.filter(room=event.room_id, position__lt=event.position).order_by("-position")
    since = message.values_list("position", flat=True).first() or 0
    run = told(event.room_id).filter(position__gt=since, position__lte=event.position).order_by("-position")
    return _lines(sorted(run[:NOTICES_MAX], key=_position))[-1]


def _lines(run: Iterable[Event]) -> list[Notice]:
    lines: list[Notice] = []
    for event in run:
        if lines and lines[-1].takes(event):
            lines[-1].events.append(event)
        else:
            lines.append(Notice([event]))
    return lines


def _position(each: Event | Message) -> int:
    return each.position


def _sort(event: Event) -> tuple[str, str, int | None]:
    """Return what events of one line have in common: who did it only matters where others did."""
    return event.kind, _sentence(event), None if _is_own_doing(event) else event.actor_id


def _is_own_doing(event: Event) -> bool:
    return event.actor_id == event.member_id


def _name(person: User | None) -> str:
    # First-strong isolates: a name written from right to left does not reorder the sentence.
    return f"\u2068{person.display_name}\u2069" if person else _("Former member")


def _sentence(event: Event) -> str:
    return next(_sentences(event))


def _sentences(event: Event) -> Iterator[str]:
    """Yield what fits an event, the best first."""
    own = _is_own_doing(event)
    if event.kind == Kind.MEMBERSHIP_ADDED:
        if event.position == _FIRST_POSITION:
            yield _("%(actor)s opened this room.")
        yield _("%(names)s joined.") if own else _("%(actor)s added %(names)s.")
    if event.kind == Kind.MEMBERSHIP_REMOVED:
        yield _("%(names)s left.") if own else _("%(actor)s removed %(names)s.")
    if event.kind == Kind.MEMBERSHIP_CHANGED:
        yield {
            Membership.Role.OWNER: _("%(actor)s made %(names)s an owner."),
            Membership.Role.MODERATOR: _("%(actor)s made %(names)s a moderator."),
            Membership.Role.MEMBER: _("%(actor)s made %(names)s a plain member."),
            "muted": _("%(actor)s muted %(names)s."),
            "unmuted": _("%(actor)s lets %(names)s write again."),
        }.get(event.change, _("%(actor)s changed what %(names)s may do."))
    if event.kind == Kind.ROOM_DELETED:
        yield _("%(actor)s deleted this room.")
    if event.kind == Kind.ROOM_CHANGED:
        yield {
            "name": _("%(actor)s changed the name of this room."),
            "topic": _("%(actor)s changed the topic."),
            "details": _("%(actor)s changed the name and the topic of this room."),
            Room.Kind.PUBLIC: _("%(actor)s made this room public."),
            Room.Kind.PRIVATE: _("%(actor)s made this room private."),
            "returned": _("%(actor)s brought this room back."),
            "archived": _("%(actor)s archived this room."),
            "restored": _("%(actor)s opened this room again."),
            "all_post": _("%(actor)s lets all members write here."),
            "moderators_post": _("%(actor)s lets only owners and moderators write here."),
            "owners_post": _("%(actor)s lets only owners write here."),
            "slow_seconds": _("%(actor)s set slow mode: members wait a while between two messages."),
            "not_slow": _("%(actor)s ended slow mode."),
            "history_full": _("%(actor)s opened all that was said here to new members."),
            "history_joined": _("%(actor)s has members read only what was said since they joined."),
            "raid": _("%(actor)s lets new accounts only read for a while."),
            "no_raid": _("%(actor)s lets new accounts write again."),
            "review": _("%(actor)s, who runs this site, opened this room for review."),
            "who_invites": _("%(actor)s changed who may add people."),
            "who_calls_all": _("%(actor)s changed who may call everybody."),
            "who_pins": _("%(actor)s changed who may pin messages."),
        }.get(event.change, _("%(actor)s changed this room."))
    yield _("%(actor)s changed this room.")
