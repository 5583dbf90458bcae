"""The stream, over the shipped server process."""

from __future__ import annotations

import uuid

import pytest
from django.db import connection
from django.test import Client

from accounts.models import User
from messaging.actions import delete_message, edit_message
from project.realtime.subscription import REPLAY_MAX
from rooms import actions
from rooms.models import Epoch, Membership, Room
from tests.conftest import client_of, join
from tests.factories import MessageFactory
from tests.messaging.following import open_stream, say, texts
from tests.server import ServerProcess
from tests.streams import EventStream


def test_member_hears_a_message_with_its_position_as_id(server: ServerProcess, room: Room, owner: User) -> None:
    member = join(room, "member")
    with open_stream(server, room, member) as stream:
        assert stream.status == 200
        assert stream.response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert stream.response.headers["Cache-Control"] == "no-store, no-transform"
        assert stream.response.headers["X-Accel-Buffering"] == "no"
        message = say(room, owner, "hello\n\ndata: x\nid: 99")
        event = stream.next()
    assert (event.event, event.id) == ("message_created", str(message.position))
    assert event.data["message"]["text"] == "hello\n\ndata: x\nid: 99"
    assert event.data["message"]["author"]["username"] == "owner"
    assert event.data["room"] == room.slug
    assert "row" not in event.data
    assert stream.retry is not None
    assert 1_000 <= stream.retry <= 7_000


def test_page_stream_brings_the_rendered_row(server: ServerProcess, room: Room, owner: User) -> None:
    with open_stream(server, room, owner, "?format=html") as stream:
        message = say(room, owner, "**bold**")
        row = stream.next().data["row"]
    assert f'data-id="{message.pk}"' in row
    assert "<strong>bold</strong>" in row


def test_stream_goes_on_exactly_after_last_event_id(server: ServerProcess, room: Room, owner: User) -> None:
    with open_stream(server, room, owner) as stream:
        say(room, owner, "one")
        cursor = stream.next().id
    for text in ("two", "three"):
        say(room, owner, text)
    with open_stream(server, room, owner, last_event_id=cursor) as stream:
        say(room, owner, "four")
        assert texts(stream.take(3)) == ["two", "three", "four"]


def test_stream_replays_a_long_history_once_and_in_order(server: ServerProcess, room: Room, owner: User) -> None:
    for number in range(REPLAY_MAX + 130):
        say(room, owner, str(number))
    with open_stream(server, room, owner, "?after=1") as stream:
        say(room, owner, "last")
        events = stream.take(REPLAY_MAX + 131)
    assert [int(event.id or 0) for event in events] == list(range(2, REPLAY_MAX + 133))
    assert texts(events)[-1] == "last"


def test_header_wins_over_parameter(server: ServerProcess, room: Room, owner: User) -> None:
    for text in ("one", "two"):
        say(room, owner, text)
    with open_stream(server, room, owner, "?after=1", last_event_id="2") as stream:
        assert texts([stream.next()]) == ["two"]


@pytest.mark.parametrize("cursor", ["-1", "99", str(2**63), "1e3", "abc", "9" * 400, "١", "1,2"])
def test_cursor_that_cannot_be_ours_gets_reset_and_goes_on(
    server: ServerProcess, room: Room, owner: User, cursor: str
) -> None:
    with open_stream(server, room, owner, last_event_id=cursor.encode().decode("latin-1")) as stream:
        assert stream.status == 200
        event = stream.next()
        assert (event.event, event.id, event.data) == ("reset", None, {"room": room.slug, "position": 1})
        say(room, owner, "after the reset")
        assert texts([stream.next()]) == ["after the reset"]


def test_cursor_of_another_epoch_gets_reset(server: ServerProcess, room: Room, owner: User) -> None:
    epoch = Epoch.current()
    say(room, owner, "one")
    with open_stream(server, room, owner, f"?after=1&epoch={epoch}") as stream:
        assert stream.next().event == "message_created"
    with open_stream(server, room, owner, f"?after=1&epoch={uuid.uuid4().hex}") as stream:
        assert stream.next().event == "reset"


def test_page_too_far_behind_is_reset_and_a_program_is_not(server: ServerProcess, room: Room, owner: User) -> None:
    for number in range(REPLAY_MAX + 1):
        say(room, owner, str(number))
    with open_stream(server, room, owner, "?after=1&format=html") as stream:
        assert stream.next().event == "reset"
    with open_stream(server, room, owner, "?after=0") as stream:
        assert stream.next().id == "1"


def test_replay_never_shows_deleted_text(server: ServerProcess, room: Room, owner: User) -> None:
    with open_stream(server, room, owner) as live:
        secret = say(room, owner, "the secret")
        assert texts([live.next()]) == ["the secret"]
        delete_message(secret, actor=owner)
        gone = live.next()
        assert (gone.event, gone.data["message"]["text"]) == ("message_deleted", "")
        with open_stream(server, room, owner, "?after=1&format=html") as replay:
            events = replay.take(2)
    assert [event.event for event in events] == ["message_created", "message_deleted"]
    assert not any("secret" in str(event.data) for event in events)


def test_edit_arrives_with_the_message_as_it_is_now(server: ServerProcess, room: Room, owner: User) -> None:
    message = say(room, owner, "befor")
    with open_stream(server, room, owner) as stream:
        edit_message(message, text="before", actor=owner)
        event = stream.next()
    assert (event.event, event.data["message"]["id"], event.data["message"]["text"]) == (
        "message_edited",
        message.pk,
        "before",
    )


def test_room_and_member_changes_arrive(server: ServerProcess, room: Room, owner: User) -> None:
    with open_stream(server, room, owner) as stream:
        member = join(room, "member")
        membership = Membership.objects.get(room=room, user=member)
        actions.change_role(membership, role=Membership.Role.MODERATOR, actor=owner)
        actions.update_room(room, name="Galley", topic="Food", actor=owner)
        actions.archive_room(room, actor=owner)
        added, changed, renamed, archived = stream.take(4)
    assert (added.event, added.data["member"]["username"]) == ("membership_added", "member")
    assert (changed.event, changed.data["role"]) == ("membership_changed", "moderator")
    assert (renamed.event, renamed.data["state"]["name"]) == ("room_changed", "Galley")
    assert archived.data["state"]["archived"] is True


@pytest.mark.parametrize(("kind", "status"), [(Room.Kind.PUBLIC, 403), (Room.Kind.PRIVATE, 404)])
def test_stranger_gets_no_stream(
    server: ServerProcess, owner: User, outsider: User, kind: Room.Kind, status: int
) -> None:
    room = actions.create_room(name="Canary", topic="", kind=kind, actor=owner)
    with open_stream(server, room, owner) as allowed:
        assert allowed.status == 200
    with open_stream(server, room, outsider) as stream:
        assert stream.status == status
        assert b"Canary" not in stream.response.read()


def test_signed_out_person_gets_401_and_no_redirect(server: ServerProcess, room: Room, owner: User) -> None:
    client = client_of(owner)
    client.cookies["earshot_session"] = "invalid"
    with EventStream(server, client, f"/rooms/{room.slug}/stream/") as stream:
        assert stream.status == 401


def test_other_site_may_not_open_a_stream(room: Room, owner: User) -> None:
    response = client_of(owner).get(f"/rooms/{room.slug}/stream/", headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 403


def test_open_streams_hold_no_connections_of_the_pool(server: ServerProcess, room: Room, owner: User) -> None:
    people = [join(room, f"viewer{number}") for number in range(40)]
    before = backends()
    streams = [open_stream(server, room, person) for person in people]
    try:
        say(room, owner, "to all")
        assert [texts([stream.next()]) for stream in streams] == [["to all"]] * len(streams)
        # The pool may have grown while they were opened; forty streams must not need forty backends.
        assert backends() - before < 20
        assert (backends("earshot listener"), backends("earshot reader")) == (1, 1)
    finally:
        for stream in streams:
            stream.close()


def backends(name: str = "%") -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE %s",
            [name],
        )
        return int(cursor.fetchone()[0])


def test_stream_survives_the_listeners_death(server: ServerProcess, room: Room, owner: User) -> None:
    with open_stream(server, room, owner) as stream:
        say(room, owner, "before")
        assert texts([stream.next()]) == ["before"]
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE application_name = 'earshot listener' AND datname = current_database()"
            )
            assert cursor.fetchone()[0] == 1
        MessageFactory.create(room=room, author=owner, text="meanwhile")
        say(room, owner, "after")
        assert texts(stream.take(2)) == ["meanwhile", "after"]


def test_message_whose_wake_up_was_lost_arrives_by_reconciliation(
    server: ServerProcess, room: Room, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_stream(server, room, owner) as stream:
        monkeypatch.setattr("rooms.log.publish_all", lambda notifications: None)
        say(room, owner, "unannounced")
        assert texts([stream.next()]) == ["unannounced"]


def test_wrong_method_is_refused(room: Room, owner: User) -> None:
    response = Client().post(f"/rooms/{room.slug}/stream/")
    assert (response.status_code, response.headers["Allow"]) == (405, "GET")
