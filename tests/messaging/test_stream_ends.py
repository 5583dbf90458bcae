"""How a stream ends, over the shipped server process."""

from __future__ import annotations

from accounts.actions import end_streams_of
from accounts.models import User
from rooms import actions
from rooms.models import Room
from tests.conftest import client_of, join, leave
from tests.messaging.following import open_stream, say, texts
from tests.server import ServerProcess
from tests.streams import EventStream


def test_removed_member_stream_ends_at_the_removal(server: ServerProcess, any_room: Room, owner: User) -> None:
    member = join(any_room, "member")
    with open_stream(server, any_room, member) as stream, open_stream(server, any_room, owner) as bystander:
        say(any_room, owner, "you may read this")
        leave(any_room, member)
        say(any_room, owner, "you may not")
        assert bystander.take(3)[-1].data["message"]["text"] == "you may not"
        heard = stream.rest()
    assert [event.event for event in heard] == ["message_created", "revoked"]
    assert "may not" not in str(heard)
    with open_stream(server, any_room, member, last_event_id="2") as again:
        assert again.status == (403 if any_room.is_public else 404)
        assert b"may not" not in again.response.read()


def test_member_who_came_back_is_not_ended_by_the_earlier_removal(
    server: ServerProcess, room: Room, owner: User
) -> None:
    member = join(room, "member")
    leave(room, member)
    actions.join_room(room, actor=member)
    with open_stream(server, room, member, "?after=1") as stream:
        say(room, owner, "welcome back")
        kinds = [event.event for event in stream.take(4)]
    assert kinds == ["membership_added", "membership_removed", "membership_added", "message_created"]


def test_sign_out_ends_that_sessions_streams_only(server: ServerProcess, room: Room, owner: User) -> None:
    client, other = client_of(owner), client_of(owner)
    path = f"/rooms/{room.slug}/stream/"
    with EventStream(server, client, path) as stream, EventStream(server, other, path) as kept:
        client.post("/accounts/logout/")
        assert [event.event for event in stream.rest()] == ["revoked"]
        say(room, owner, "still here")
        assert texts([kept.next()]) == ["still here"]


def test_deactivated_person_hears_nothing_more(server: ServerProcess, room: Room, owner: User) -> None:
    member = join(room, "member")
    with open_stream(server, room, member) as stream:
        User.objects.filter(pk=member.pk).update(is_active=False)
        end_streams_of(member)
        assert [event.event for event in stream.rest()] == ["revoked"]


def test_ninth_stream_replaces_the_oldest(server: ServerProcess, room: Room, owner: User) -> None:
    streams = [open_stream(server, room, owner) for _ in range(9)]
    try:
        assert [event.event for event in streams[0].rest()] == ["replaced"]
        say(room, owner, "to the others")
        assert texts([streams[8].next()]) == ["to the others"]
    finally:
        for stream in streams:
            stream.close()


def test_server_that_stops_says_bye_and_the_next_one_goes_on(server: ServerProcess, room: Room, owner: User) -> None:
    with open_stream(server, room, owner) as stream:
        say(room, owner, "before")
        cursor = stream.next().id
        server.restart()
        assert [event.event for event in stream.rest()] == ["bye"]
    say(room, owner, "meanwhile")
    with open_stream(server, room, owner, last_event_id=cursor) as stream:
        assert texts([stream.next()]) == ["meanwhile"]


def test_revocation_in_the_moment_of_opening_is_not_missed(server: ServerProcess, room: Room, owner: User) -> None:
    for number in range(10):
        member = join(room, f"member{number}")
        with open_stream(server, room, member) as stream:
            User.objects.filter(pk=member.pk).update(is_active=False)
            end_streams_of(member)
            assert [event.event for event in stream.rest()] == ["revoked"]
