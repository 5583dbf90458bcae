"""One stream for many rooms, over the shipped server process."""

from __future__ import annotations

import uuid

import pytest

from accounts.models import User
from messaging.actions import post_message
from rooms import actions
from rooms.models import Epoch, Room
from tests.conftest import client_of, join, leave
from tests.server import ServerProcess
from tests.streams import EventStream, StreamEvent


@pytest.fixture
def rooms(owner: User) -> list[Room]:
    return [
        actions.create_room(name=name, topic="", kind=kind, actor=owner)
        for name, kind in (("Anchor", "public"), ("Buoy", "private"), ("Cove", "public"))
    ]


def say(room: Room, author: User, text: str) -> None:
    post_message(room, author=author, text=text, client_id=uuid.uuid4())


def open_stream(server: ServerProcess, user: User, query: str = "", last: str | None = None) -> EventStream:
    return EventStream(server, client_of(user), f"/stream/{query}", last)


def said(events: list[StreamEvent]) -> list[tuple[str, str]]:
    return [(event.data["room"], event.data["message"]["text"]) for event in events]


def test_all_rooms_come_in_one_stream(server: ServerProcess, rooms: list[Room], owner: User) -> None:
    with open_stream(server, owner) as stream:
        for number, room in enumerate(rooms):
            say(room, owner, str(number))
        assert sorted(said(stream.take(3))) == sorted((room.slug, str(n)) for n, room in enumerate(rooms))


def test_only_the_rooms_asked_for_come(server: ServerProcess, rooms: list[Room], owner: User) -> None:
    anchor, buoy, cove = rooms
    with open_stream(server, owner, f"?rooms={anchor.slug},{cove.slug}") as stream:
        say(buoy, owner, "not this")
        say(cove, owner, "this")
        assert said([stream.next()]) == [(cove.slug, "this")]


def test_compound_cursor_goes_on_exactly_there_in_every_room(
    server: ServerProcess, rooms: list[Room], owner: User
) -> None:
    anchor, buoy, cove = rooms
    with open_stream(server, owner) as stream:
        say(anchor, owner, "a1")
        say(buoy, owner, "b1")
        cursor = stream.take(2)[-1].id
    for room, text in ((anchor, "a2"), (cove, "c1"), (anchor, "a3"), (buoy, "b2")):
        say(room, owner, text)
    with open_stream(server, owner, last=cursor) as stream:
        events = stream.take(4)
        say(cove, owner, "c2")
        events.append(stream.next())
    assert sorted(said(events)) == sorted(
        [(anchor.slug, "a2"), (anchor.slug, "a3"), (buoy.slug, "b2"), (cove.slug, "c1"), (cove.slug, "c2")]
    )
    per_room = [text for slug, text in said(events) if slug == anchor.slug]
    assert per_room == ["a2", "a3"]


def test_each_event_moves_only_its_own_room_in_the_cursor(
    server: ServerProcess, rooms: list[Room], owner: User
) -> None:
    anchor, buoy, _cove = rooms
    with open_stream(server, owner, f"?rooms={anchor.slug},{buoy.slug}") as stream:
        say(buoy, owner, "b1")
        assert stream.next().id == f"{anchor.pk}.1,{buoy.pk}.2"


def test_room_joined_since_is_read_from_the_joining_on(server: ServerProcess, rooms: list[Room], owner: User) -> None:
    anchor, buoy, _cove = rooms
    member = join(anchor, "member")
    say(anchor, owner, "one")
    with open_stream(server, member, "?after=" + f"{anchor.pk}.2") as stream:
        cursor = stream.next().id
    say(buoy, owner, "before they came")
    actions.add_member(buoy, member=member, actor=owner)
    say(buoy, owner, "after they came")
    with open_stream(server, member, last=cursor) as stream:
        assert said([stream.next()]) == [(buoy.slug, "after they came")]


def test_long_histories_of_several_rooms_are_replayed_whole(
    server: ServerProcess, rooms: list[Room], owner: User
) -> None:
    for number in range(130):
        for room in rooms[:2]:
            say(room, owner, str(number))
    start = ",".join(f"{room.pk}.1" for room in rooms)
    with open_stream(server, owner, last=start) as stream:
        events = said(stream.take(260))
    for room in rooms[:2]:
        assert [text for slug, text in events if slug == room.slug] == [str(number) for number in range(130)]


def test_removal_from_one_room_ends_that_room_only(server: ServerProcess, rooms: list[Room], owner: User) -> None:
    anchor, buoy, _cove = rooms
    member = join(anchor, "member")
    actions.add_member(buoy, member=member, actor=owner)
    with open_stream(server, member) as stream:
        leave(buoy, member)
        event = stream.next()
        assert (event.event, event.data["room"]) == ("revoked", buoy.slug)
        say(buoy, owner, "not for them")
        say(anchor, owner, "for them")
        assert said([stream.next()]) == [(anchor.slug, "for them")]
        leave(anchor, member)
        assert [event.event for event in stream.rest()] == ["revoked"]


@pytest.mark.parametrize("cursor", ["5", "a.b", "1.2,", "1.2;3.4", "-1.2", "1.99999999999999999999", "1" * 500])
def test_cursor_that_cannot_be_ours_resets_every_room(
    server: ServerProcess, rooms: list[Room], owner: User, cursor: str
) -> None:
    with open_stream(server, owner, last=cursor) as stream:
        events = stream.take(3)
        assert {event.event for event in events} == {"reset"}
        assert {event.data["room"] for event in events} == {room.slug for room in rooms}
        say(rooms[0], owner, "goes on")
        assert said([stream.next()]) == [(rooms[0].slug, "goes on")]


def test_position_from_the_future_resets_that_room(server: ServerProcess, rooms: list[Room], owner: User) -> None:
    anchor, buoy, cove = rooms
    say(buoy, owner, "b1")
    with open_stream(server, owner, last=f"{anchor.pk}.99,{buoy.pk}.1,{cove.pk}.1") as stream:
        reset, message = stream.take(2)
    assert (reset.event, reset.data["room"]) == ("reset", anchor.slug)
    assert said([message]) == [(buoy.slug, "b1")]


def test_cursor_of_another_epoch_resets(server: ServerProcess, rooms: list[Room], owner: User) -> None:
    anchor = rooms[0]
    say(anchor, owner, "a1")
    query = f"?rooms={anchor.slug}&after={anchor.pk}.1&epoch="
    with open_stream(server, owner, query + Epoch.current()) as stream:
        assert stream.next().event == "message_created"
    with open_stream(server, owner, query + uuid.uuid4().hex) as stream:
        assert stream.next().event == "reset"


def test_room_of_others_is_refused_like_its_own_stream(
    server: ServerProcess, rooms: list[Room], owner: User, outsider: User
) -> None:
    anchor, buoy, _cove = rooms
    home = actions.create_room(name="Home", topic="", kind="private", actor=outsider)
    for query, status in (
        (f"?rooms={home.slug}", 200),
        (f"?rooms={home.slug},{anchor.slug}", 403),
        (f"?rooms={home.slug},{buoy.slug}", 404),
        ("?rooms=never-existed", 404),
    ):
        with open_stream(server, outsider, query) as stream:
            assert stream.status == status, query


def test_nobody_without_a_room_or_a_session_gets_a_stream(outsider: User) -> None:
    client = client_of(outsider)
    accept = {"Accept": "text/event-stream"}
    response = client.get("/stream/", headers=accept)
    assert (response.status_code, list(response.json()["errors"])) == (400, ["__all__"])
    client.logout()
    assert client.get("/stream/", headers=accept).status_code == 401


def test_a_name_that_postgresql_can_t_be_asked_for_is_not_found(rooms: list[Room], owner: User) -> None:
    client = client_of(owner)
    assert client.get("/stream/", {"rooms": "no-such-room"}).status_code == 404
    assert client.get("/stream/", {"rooms": f"{rooms[0].slug},a\0b"}).status_code == 404
