"""Readers who lose their right while a room is busy and their streams are open."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import islice

from allauth.account.signals import password_changed

from accounts.actions import end_streams_of, sign_out_everywhere
from accounts.models import User
from rooms.actions import change_kind, delete_room, remove_member, undelete_room
from rooms.models import Event, Membership, Room
from rooms.moderation import ban
from tests.faults import wire
from tests.faults.cast import Person
from tests.faults.load import Load
from tests.faults.readers import Screen
from tests.faults.site import in_thread
from tests.faults.stage import Control, Fault, Stage, waited_for

CLOSED_SECONDS = 2.0
WAYS_OF_SHORT_CONTROL = 2
SPEAKERS = 3  # in a room that is lost with all its readers
SHOWN_FIRST = 2  # a reader has seen so much before the right is taken


async def revoked(stage: Stage) -> None:
    races = 1 if stage.is_control or stage.is_short else int(stage.lasting(2, 50))
    ways = islice(WAYS.items(), WAYS_OF_SHORT_CONTROL if stage.is_control and stage.is_short else None)
    try:
        async with stage.load(rooms=1, rate=stage.lasting(25, 50), guests=races * len(WAYS)) as load:
            victims = iter(load.guests)
            for way, revoke in ways:
                for victim in islice(victims, races):
                    async with busy_room(stage, load, victim, revoke) as room:
                        await race(stage, load, victim, room, way, revoke)
    finally:
        # Whoever was signed out or closed out comes back for the next case.
        await stage.site.sign_everybody_in()


@asynccontextmanager
async def busy_room(stage: Stage, load: Load, victim: Person, revoke: Revoke) -> AsyncIterator[str]:
    """Yield the room of all others, or a new one, in which people speak: what takes it from all takes it from them."""
    if revoke not in {deleted, made_private}:
        yield load.rooms[0]
        return
    if revoke is made_private:
        made = await stage.site.make_rooms(1, load.posters, Room.Kind.PUBLIC)
    else:
        made = await stage.site.make_rooms(1, [*load.posters, victim])
    room = made[0].slug
    speakers = [asyncio.create_task(keep_speaking(load, person, room)) for person in load.posters[:SPEAKERS]]
    try:
        yield room
        await in_thread(brought_back, room)
        if stage.is_control:
            await load.goes_on(1)  # to those whose streams have not ended
    finally:
        for task in speakers:
            task.cancel()
        await asyncio.gather(*speakers, return_exceptions=True)
    load.rooms.append(room)  # from now on like any other, and read in the end


async def keep_speaking(load: Load, person: Person, room: str) -> None:
    while True:
        await asyncio.shield(load.say(person, room))
        await asyncio.sleep(SPEAKERS / load.shape.rate)


async def race(stage: Stage, load: Load, victim: Person, room: str, way: str, revoke: Revoke) -> None:
    has_streams = revoke is not made_private  # an outsider of a public room reads its pages
    readers: list[Screen] = [load.add_stream(victim, room) for _ in range(2 if has_streams else 0)]
    streams = load.streams[len(load.streams) - len(readers) :]
    readers.append(load.add_page(victim, room))
    await waited_for(lambda: all(len(reader.screen) >= SHOWN_FIRST for reader in readers), 10)
    last = await in_thread(revoke, victim.name, room)
    began = time.monotonic()
    closed = await waited_for(lambda: all(stream.ended_at for stream in streams), CLOSED_SECONDS)
    if last is None:
        # No event of the room's log says where the right ends: what is shown has to end in time.
        await load.goes_on(max(0.0, began + CLOSED_SECONDS - time.monotonic()))
        last = await in_thread(newest_position, room)
    for reader in readers:
        load.end_stay(reader, last)
    if stage.is_control:
        await load.goes_on(1)
        return
    refused = await waited_for(lambda: all(reader.refused_with for reader in readers), 10)
    stage.promise_within(f"streams are closed when {way}", closed, CLOSED_SECONDS)
    stage.promise("whoever comes back at once is refused", refused <= 10, f"after {refused:.1f} s")
    await nothing_more_is_told(stage, load, victim, readers[0])


async def nothing_more_is_told(stage: Stage, load: Load, victim: Person, reader: Screen) -> None:
    """The old address is refused like any other stranger's, whichever way it says an old cursor."""
    stream, pages = f"/rooms/{reader.room}/stream/", f"/rooms/{reader.room}/messages/"
    addresses = [(stream, reader.cursor), (stream, 1), (f"{stream}?after={reader.cursor}", None)]
    addresses += [(f"{stream}?format=html&after=1", None), (f"/stream/?rooms={reader.room}", None), (pages, None)]
    for path, cursor in addresses:
        async with wire.stream(load.port, path, victim.session, cursor, silence=10) as (reply, _events):
            stage.promise("the same addresses are refused afterwards", reply.status in {401, 404}, reply.status)


# Takes a username and a room's address, and returns the last position that the person had a right to, if there is one.
Revoke = Callable[[str, str], int | None]


def removed(name: str, slug: str) -> int:
    remove_member(membership_of(name, slug), actor=owner_of(slug))
    return last_right(name, slug)


def gone(name: str, slug: str) -> int:
    membership = membership_of(name, slug)
    remove_member(membership, actor=membership.user)
    return last_right(name, slug)


def banned(name: str, slug: str) -> int:
    membership = membership_of(name, slug)
    ban(membership.room, user=membership.user, reason="", expires_at=None, actor=owner_of(slug))
    return last_right(name, slug)


def made_private(name: str, slug: str) -> int:
    change_kind(Room.objects.get(slug=slug), kind=Room.Kind.PRIVATE, actor=owner_of(slug))
    return Event.objects.get(room__slug=slug, kind=Event.Kind.ROOM_CHANGED).position


def deleted(name: str, slug: str) -> int:
    delete_room(Room.objects.get(slug=slug), actor=owner_of(slug))
    return Event.objects.get(room__slug=slug, kind=Event.Kind.ROOM_DELETED).position


def brought_back(slug: str) -> None:
    undelete_room(Room.with_deleted.get(slug=slug), actor=owner_of(slug))


def deactivated(name: str, slug: str) -> None:
    user = User.objects.get(username=name)
    User.objects.filter(pk=user.pk).update(is_active=False)
    end_streams_of(user)


def password_was_changed(name: str, slug: str) -> None:
    """As allauth does it and says it, in another session than those whose streams are open."""
    user = User.objects.get(username=name)
    user.set_password(secrets.token_urlsafe())
    user.save(update_fields=["password"])
    password_changed.send(sender=User, request=None, user=user)


def signed_out(name: str, slug: str) -> None:
    sign_out_everywhere([User.objects.get(username=name)])


def membership_of(name: str, slug: str) -> Membership:
    return Membership.objects.select_related("room", "user").get(room__slug=slug, user__username=name)


def owner_of(slug: str) -> User:
    return User.objects.get(memberships__room__slug=slug, memberships__role=Membership.Role.OWNER)


def last_right(name: str, slug: str) -> int:
    removals = Event.objects.filter(room__slug=slug, kind=Event.Kind.MEMBERSHIP_REMOVED, member__username=name)
    return removals.latest("position").position


def newest_position(slug: str) -> int:
    return Room.objects.get(slug=slug).last_position


WAYS: dict[str, Revoke] = {
    "somebody is removed": removed,
    "somebody is signed out": signed_out,
    "somebody leaves": gone,
    "somebody is banned": banned,
    "somebody is deactivated": deactivated,
    "somebody is given another password": password_was_changed,
    "their room is made private": made_private,
    "their room is deleted": deleted,
}

FAULTS = [
    Fault(
        "FI-27",
        "readers who lose their right while their streams are open: removed, signed out, gone, banned, deactivated, "
        "given another password, their room made private, deleted",
        revoked,
        Control("revocation off", "leaked", revoked, without="revocation"),
    )
]
