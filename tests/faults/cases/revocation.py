"""Readers who lose their right while a room is busy and their streams are open."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

from allauth.account.signals import password_changed

from accounts.actions import end_streams_of, sign_out_everywhere
from accounts.models import User
from rooms.actions import remove_member
from rooms.models import Event, Membership, Room
from tests.faults import wire
from tests.faults.cast import Person
from tests.faults.load import Load
from tests.faults.readers import StreamReader
from tests.faults.site import in_thread
from tests.faults.stage import Control, Fault, Stage, waited_for

CLOSED_SECONDS = 2.0


async def revoked(stage: Stage) -> None:
    races = 1 if stage.is_control else int(stage.lasting(2, 50))
    async with stage.load(rooms=1, rate=stage.lasting(25, 50), guests=races * len(WAYS)) as load:
        guests = iter(load.guests)
        for _ in range(races):
            for way, revoke in WAYS.items():
                await race(stage, load, next(guests), way, revoke)
    # Whoever was signed out or closed out comes back for the next case.
    await stage.site.sign_everybody_in()


async def race(stage: Stage, load: Load, victim: Person, way: str, revoke: Revoke) -> None:
    room = load.rooms[0]
    streams = [load.add_stream(victim, room) for _ in range(2)]
    page = load.add_page(victim, room)
    await waited_for(lambda: all(stream.opened for stream in streams), 10)
    await load.goes_on(0.2)
    last = await in_thread(revoke, victim.name, room)
    began = time.monotonic()
    closed = await waited_for(lambda: all(stream.ended_at for stream in streams), CLOSED_SECONDS)
    if last is None:
        # No event of the room's log says where the right ends: what is shown has to end in time.
        await load.goes_on(max(0.0, began + CLOSED_SECONDS - time.monotonic()))
        last = await in_thread(newest_position, room)
    for reader in (*streams, page):
        load.end_stay(reader, last)
    if stage.is_control:
        await load.goes_on(1)
        return
    stage.promise_within(f"streams are closed when somebody is {way}", closed, CLOSED_SECONDS)
    await nothing_more_is_told(stage, load, victim, streams[0])


async def nothing_more_is_told(stage: Stage, load: Load, victim: Person, reader: StreamReader) -> None:
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
    owner = Membership.objects.select_related("user").get(room__slug=slug, role=Membership.Role.OWNER)
    remove_member(membership_of(name, slug), actor=owner.user)
    return last_right(name, slug)


def gone(name: str, slug: str) -> int:
    membership = membership_of(name, slug)
    remove_member(membership, actor=membership.user)
    return last_right(name, slug)


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


def last_right(name: str, slug: str) -> int:
    removals = Event.objects.filter(room__slug=slug, kind=Event.Kind.MEMBERSHIP_REMOVED, member__username=name)
    return removals.latest("position").position


def newest_position(slug: str) -> int:
    return Room.objects.get(slug=slug).last_position


WAYS: dict[str, Revoke] = {
    "removed": removed,
    "gone": gone,
    "deactivated": deactivated,
    "given another password": password_was_changed,
    "signed out": signed_out,
}

FAULTS = [
    Fault(
        "FI-27",
        "readers who lose their right while their streams are open: " + ", ".join(WAYS),
        revoked,
        Control("revocation off", "leaked", revoked, without="revocation"),
    )
]
