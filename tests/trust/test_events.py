"""Every kind of event has the readers that the page has (AZ-R3), and nothing is left of them elsewhere (AZ-R4)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from accounts.models import User
from messaging import actions as messaging
from messaging import pinning, reactions
from messaging.models import Message
from rooms import actions
from rooms.models import Event, Membership, Room
from tests.conftest import client_of, join, leave
from tests.factories import MessageFactory, RoomFactory, UserFactory
from tests.server import ServerProcess
from tests.streams import EventStream, StreamEvent
from tests.trust.matrix import TABLE

Kind = Event.Kind


def changed_role(room: Room, owner: User) -> None:
    membership = Membership.objects.get(room=room, user__username="latecomer")
    actions.change_role(membership, role=Membership.Role.MODERATOR, actor=owner)


def message(room: Room) -> Message:
    return Message.objects.with_people().select_related("room").filter(room=room).latest("pk")


# In the order in which a room can have them.
MAKING: dict[str, Callable[[Room, User], object]] = {
    Kind.MESSAGE_CREATED: lambda room, owner: MessageFactory.create(room=room, author=owner, text="Canary Text"),
    Kind.MESSAGE_EDITED: lambda room, owner: messaging.edit_message(message(room), text="Canary Edit", actor=owner),
    Kind.REACTION_ADDED: lambda room, owner: reactions.add_reaction(message(room), emoji="🎉", actor=owner),
    Kind.REACTION_REMOVED: lambda room, owner: reactions.remove_reaction(message(room), emoji="🎉", actor=owner),
    Kind.MESSAGE_PINNED: lambda room, owner: pinning.pin_message(message(room), actor=owner),
    Kind.MESSAGE_UNPINNED: lambda room, owner: pinning.unpin_message(message(room), actor=owner),
    Kind.MESSAGE_DELETED: lambda room, owner: messaging.delete_message(message(room), actor=owner),
    Kind.MEMBERSHIP_ADDED: lambda room, owner: join(room, "latecomer"),
    Kind.MEMBERSHIP_CHANGED: changed_role,
    Kind.MEMBERSHIP_REMOVED: lambda room, owner: leave(room, User.objects.get(username="latecomer")),
    Kind.ROOM_CHANGED: lambda room, owner: actions.update_room(room, name="Canary Name", topic="", actor=owner),
    Kind.ROOM_DELETED: lambda room, owner: actions.delete_room(room, actor=owner),
}


def test_every_kind_of_event_is_made_here() -> None:
    assert sorted(MAKING) == sorted(TABLE["events"])


def until(stream: EventStream, is_last: Callable[[StreamEvent], bool]) -> list[StreamEvent]:
    seen = []
    for event in stream.events():
        seen.append(event)
        if is_last(event):
            return seen
    raise AssertionError(f"the stream ended after {seen}")


@pytest.fixture
def hall(owner: User) -> Room:
    return RoomFactory.create(name="Hall", actor=owner)


def test_no_kind_of_event_reaches_who_was_removed_or_never_came(
    server: ServerProcess, private_room: Room, hall: Room, owner: User
) -> None:
    """The hall is followed by all; in another room of theirs, somebody says a last word at which we stop listening."""
    far = RoomFactory.create(name="Far", actor=owner)
    member, removed, stranger = join(private_room, "member"), join(private_room, "removed"), UserFactory.create()
    for person in (removed, stranger):
        for room in (hall, far):
            actions.add_member(room, member=person, actor=owner)
    with (
        EventStream(server, client_of(member), f"/rooms/{private_room.slug}/stream/") as inside,
        EventStream(server, client_of(removed), f"/stream/?rooms={private_room.slug},{hall.slug}") as former,
        EventStream(server, client_of(stranger), f"/stream/?rooms={hall.slug}") as outside,
    ):
        assert [stream.status for stream in (inside, former, outside)] == [200, 200, 200]
        for stream in (former, outside):
            stream.ignored = set()
        MessageFactory.create(room=private_room, author=owner, text="before")
        leave(private_room, removed)
        messaging.announce_typing(private_room, user=owner)
        for make in MAKING.values():
            make(private_room, owner)
        MessageFactory.create(room=hall, author=owner, text="after")
        MessageFactory.create(room=far, author=owner, text="last")
        # Hints of unread messages come a moment later than what is in a stream itself.
        heard = [until(stream, lambda event: far.slug in event.data.get("rooms", ())) for stream in (former, outside)]
        shown = [event.event for event in inside.rest()]
    assert [kind for kind in MAKING if kind not in shown] in ([], [Kind.ROOM_DELETED])
    assert shown[-1] in {Kind.ROOM_DELETED, "revoked"}
    before, after = cut_at_the_removal(heard[0], private_room)
    assert next(event.event for event in before if event.data.get("room") == private_room.slug) == "message_created"
    for events in (after, heard[1]):
        assert "message_created" in {event.event for event in events}  # that of the hall
        assert [event for event in events if "Canary" in str(event.data)] == []
        about = [event for event in events if private_room.slug in str(event.data)]
        assert {event.event for event in about} <= {"revoked", "rooms"}  # it ends, and is gone from the list


def cut_at_the_removal(events: list[StreamEvent], room: Room) -> tuple[list[StreamEvent], list[StreamEvent]]:
    (place,) = [
        number
        for number, event in enumerate(events)
        if event.event in {"membership_removed", "revoked"} and event.data.get("room") == room.slug
    ][:1]
    return events[:place], events[place + 1 :]


def test_nothing_of_a_room_is_on_any_page_of_who_was_removed(server: ServerProcess, owner: User) -> None:
    """Over the wire, from addresses that were opened before: pages, history, previews of answers, the list of rooms."""
    room = RoomFactory.create(name="Canary Name", topic="Canary Topic", kind=Room.Kind.PRIVATE, actor=owner)
    member = join(room, "member")
    said = MessageFactory.create(room=room, author=owner, text="Canary Text")
    MessageFactory.create(room=room, author=owner, text="so", reply_to=said)
    client = client_of(member)
    paths = ["/rooms/", f"/rooms/{room.slug}/", f"/rooms/{room.slug}/messages/", f"/rooms/{room.slug}/members/"]
    assert all(b"Canary" in client.get(path).content for path in paths[:3])
    leave(room, member)
    for path in [*paths, "/accounts/profile/", "/offline/", "/sw.js"]:
        assert b"Canary" not in client.get(path, headers={"If-None-Match": "*"}).content
