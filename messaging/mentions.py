"""Whom and what a text calls by name: `@people`, everybody by `@room`, and `#rooms`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from accounts.models import User
from messaging.markup import EVERYBODY, Names, called
from messaging.models import Mention, Message
from project.realtime.notify import ACTIVITY_CHANNEL, mentioned
from rooms.models import Membership, Room

NAMES_MAX = 50  # of each kind; whatever else a text names stays plain, and nobody is told of it

_PERSON = re.compile(r"@([A-Za-z0-9][A-Za-z0-9._-]{0,29})")
_ROOM = re.compile(r"#([a-z0-9_-]{1,60})")


class Known(NamedTuple):
    """What of a text's names there is: what `markup.render` wants to know, and the people's ids."""

    names: Names
    people: dict[str, int]


NOBODY = Known(Names(), {})


def known_in(text: str, *, room: Room, author: User) -> Known:
    """Look up what a text may call: the room's members, everybody if the author may, and public rooms.

    Private rooms are never found, so that naming one tells nothing. Asks the database only about what stands there.
    """
    people, may_call_all = _members(_PERSON.findall(text), room, author)
    rooms = _public_rooms(_ROOM.findall(text), author)
    everybody = {EVERYBODY} if may_call_all else set()
    return Known(Names(people=frozenset(people) | everybody, rooms=rooms), people)


def _members(names: Iterable[str], room: Room, author: User) -> tuple[dict[str, int], bool]:
    # What ends a sentence may end a match: "ask @ana." names ana.
    wanted = list(dict.fromkeys(name.lower().rstrip("._-") for name in names))[:NAMES_MAX]
    if not wanted:
        return {}, False
    found = Membership.objects.filter(Q(user__username__in=wanted) | Q(user=author), room=room).select_related("user")
    memberships = list(found)
    people = {each.user.username: each.user_id for each in memberships if each.user.username in wanted}
    may_call_all = any(each.user_id == author.pk and each.reaches(room.who_calls_all) for each in memberships)
    return people, may_call_all and EVERYBODY in wanted


def _public_rooms(slugs: Iterable[str], author: User) -> frozenset[str]:
    wanted = list(dict.fromkeys(slugs))[:NAMES_MAX]
    if not wanted:
        return frozenset()
    public = Room.objects.visible_to(author).filter(kind=Room.Kind.PUBLIC, slug__in=wanted)
    return frozenset(public.values_list("slug", flat=True))


def keep(message: Message, known: Known) -> list[tuple[str, str]]:
    """Write down whom a message, as rendered, calls, in place of whom it called. Return the wake-ups that tell them.

    Inside the transaction that writes the message, under its room's lock.
    """
    names = called(message.html)
    people = {known.people[name] for name in names if name in known.people}
    wanted: set[int | None] = set(_still_here(people, message.room_id))
    wanted |= {None} if EVERYBODY in names else set()
    before = set(message.mentions.values_list("user", flat=True)) if message.edited_at or message.deleted_at else set()
    if wanted == before:
        return []
    message.mentions.exclude(user__in=[user for user in wanted if user]).delete()
    Mention.objects.bulk_create(
        Mention(message=message, room_id=message.room_id, position=message.position, user_id=user)
        for user in wanted
        if user is None or user not in before
    )
    told = wanted ^ before
    users = None if None in told else sorted(user for user in told if user)
    return [(ACTIVITY_CHANNEL, mentioned(message.room_id, users))]


def _still_here(people: set[int], room_id: int) -> set[int]:
    """Return those who have not left since they were looked up: the room is locked now, and some may be no account."""
    if not people:
        return people
    return set(Membership.objects.filter(room=room_id, user__in=people).values_list("user", flat=True))


def unread_mentions() -> Coalesce:
    """Count, of a membership in a query, other people's unread messages that call its person."""
    calls = Mention.objects.filter(
        Q(user=OuterRef("user")) | Q(user=None), room=OuterRef("room"), position__gt=OuterRef("last_read_position")
    ).exclude(message__author=OuterRef("user"))
    numbers = calls.order_by().values("room").annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(numbers), 0)
