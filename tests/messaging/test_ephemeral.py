"""Typing, presence and unread hints, between two server processes on one database."""

from __future__ import annotations

import json
import signal
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from itertools import islice

import pytest
from django.db import connection

from accounts.models import User
from messaging.actions import post_message
from project.realtime.notify import ACTIVITY_CHANNEL, publish
from rooms import actions
from rooms.models import Event, Membership, Room
from tests.conftest import client_of, join, leave
from tests.messaging.race_stage import Actors, Line, make_rings
from tests.server import ServerProcess
from tests.streams import EventStream, StreamEvent


@pytest.fixture(scope="module")
def second_process(django_db_setup: None, static_files: None) -> Iterator[ServerProcess]:
    with ServerProcess(database=connection.settings_dict) as server:
        yield server


@pytest.fixture
def servers(server: ServerProcess, second_process: ServerProcess) -> tuple[ServerProcess, ServerProcess]:
    second_process.assert_healthy()
    return server, second_process


def listen(server: ServerProcess, room: Room, user: User, *events: str) -> EventStream:
    stream = EventStream(server, client_of(user), f"/rooms/{room.slug}/stream/")
    stream.ignored = {"ping", "presence", "unread", "typing", "rooms"} - set(events)
    stream.response.peek(1)  # its first bytes come once it is listened to: what is ephemeral and came before is lost
    return stream


def until(stream: EventStream, data: dict[str, object]) -> StreamEvent:
    """Read up to the event that says this; reading waits for a bounded time."""
    return next(event for event in stream.events() if event.data == data)


def test_wake_ups_that_are_not_ours_do_no_harm(server: ServerProcess, room: Room, owner: User) -> None:
    """Any role that may connect to the database can send them."""
    report = {"process": "x", "viewers": [1], "unnamed": 0, "asks": False}
    foreign = [
        *("", "x", "{", "{}", '{"event": "typing"}', '{"presence": [1]}'),
        *(
            json.dumps({"presence": {**report, name: value}})
            for name, value in (("viewers", [1e999]), ("unnamed", 1e999))
        ),
        '{"presence": ' + "[" * 5_000,
    ]
    with closing(listen(server, room, owner, "presence")) as stream:
        stream.next()  # the process hears the room by now
        stream.ignored.add("presence")
        for payload in foreign:
            publish(room.channel_name, payload)
            publish(ACTIVITY_CHANNEL, payload)
        post_message(room, author=owner, text="after them", client_id=uuid.uuid4())
        assert stream.next().data["message"]["text"] == "after them"
    log = server.log()
    assert log.count(f"A wake-up on {room.channel_name} was not one of Earshot's") == len(foreign)
    assert "Traceback" not in log.partition(room.channel_name)[2]


def test_typing_is_shown_to_the_others_in_every_process(
    servers: tuple[ServerProcess, ServerProcess], room: Room, owner: User
) -> None:
    member = join(room, "member")
    positions = Event.objects.count()
    with listen(servers[0], room, owner, "typing") as one, listen(servers[1], room, member, "typing") as own:
        response = client_of(member).post(f"/rooms/{room.slug}/typing/")
        assert response.status_code == 204
        event = one.next()
        assert (event.event, event.id) == ("typing", None)
        assert event.data == {"user": {"id": member.pk, "username": "member", "name": "Member"}, "seconds": 6}
        post_message(room, author=owner, text="typed", client_id=uuid.uuid4())
        assert own.next().event == "message_created"
    assert Event.objects.count() == positions + 1


def test_typing_is_throttled(servers: tuple[ServerProcess, ServerProcess], room: Room, owner: User) -> None:
    member = join(room, "member")
    client = client_of(member)
    with listen(servers[0], room, owner, "typing") as stream:
        for _ in range(5):
            assert client.post(f"/rooms/{room.slug}/typing/").status_code == 204
        post_message(room, author=member, text="typed", client_id=uuid.uuid4())
        assert [event.event for event in stream.take(2)] == ["typing", "message_created"]


@pytest.mark.parametrize("kind", ["public", "private"])
def test_stranger_may_not_type(
    servers: tuple[ServerProcess, ServerProcess], owner: User, outsider: User, kind: str
) -> None:
    room = actions.create_room(name="Canary", topic="", kind=kind, actor=owner)
    with listen(servers[0], room, owner, "typing") as stream:
        response = client_of(outsider).post(f"/rooms/{room.slug}/typing/")
        assert response.status_code == (403 if kind == "public" else 404)
        post_message(room, author=owner, text="after", client_id=uuid.uuid4())
        assert stream.next().event == "message_created"


def test_presence_counts_people_over_both_processes_and_forgets_who_left(
    servers: tuple[ServerProcess, ServerProcess], room: Room, owner: User
) -> None:
    member = join(room, "member")
    both = {"count": 2, "here": sorted([owner.pk, member.pk])}
    with listen(servers[0], room, owner, "presence") as one:
        until(one, {"count": 1, "here": [owner.pk]})
        with listen(servers[1], room, member, "presence") as other:
            until(one, both)
            until(other, both)
        until(one, {"count": 1, "here": [owner.pk]})


def test_presence_of_a_killed_process_is_seen_by_a_late_comer_of_another(
    servers: tuple[ServerProcess, ServerProcess], room: Room, owner: User
) -> None:
    member = join(room, "member")
    with listen(servers[1], room, member, "presence") as other:
        until(other, {"count": 1, "here": [member.pk]})
        with listen(servers[0], room, owner, "presence") as one:
            until(one, {"count": 2, "here": sorted([owner.pk, member.pk])})


def test_unread_hint_names_other_rooms_only_and_only_what_others_wrote(
    servers: tuple[ServerProcess, ServerProcess], room: Room, owner: User
) -> None:
    member = join(room, "member")
    other = actions.create_room(name="Other", topic="", kind="private", actor=owner)
    actions.add_member(other, member=member, actor=owner)
    with (
        listen(servers[0], room, owner, "unread", "presence") as mine,
        listen(servers[1], room, member, "unread", "presence") as theirs,
    ):
        # Both processes know their viewers by the time they tell who is here.
        for stream in (mine, theirs):
            until(stream, {"count": 2, "here": sorted([owner.pk, member.pk])})
        for _ in range(3):
            post_message(other, author=owner, text="psst", client_id=uuid.uuid4())
        next(event for event in theirs.events() if event.data.get("rooms") == [other.slug])
        post_message(room, author=owner, text="aloud", client_id=uuid.uuid4())
        mine.ignored.add("presence")
        heard = next(event for event in mine.events() if event.event != "unread" or event.data["rooms"])
        assert heard.event == "message_created"


def test_unread_hint_stops_at_the_removal(
    servers: tuple[ServerProcess, ServerProcess], room: Room, owner: User
) -> None:
    member = join(room, "member")
    vault = actions.create_room(name="Vault", topic="", kind="private", actor=owner)
    spare = actions.create_room(name="Spare", topic="", kind="private", actor=owner)
    for joined in (vault, spare):
        actions.add_member(joined, member=member, actor=owner)
    with listen(servers[0], room, member, "unread", "presence") as stream:
        until(stream, {"count": 1, "here": [member.pk]})
        post_message(vault, author=owner, text="psst", client_id=uuid.uuid4())
        next(event for event in stream.events() if event.data.get("rooms") == [vault.slug])
        leave(vault, member)
        assert not Membership.objects.filter(room=vault, user=member).exists()
        # A hint about another room, sent after the removal was heard of, comes alone.
        post_message(vault, author=owner, text="secret", client_id=uuid.uuid4())
        post_message(spare, author=owner, text="open", client_id=uuid.uuid4())
        hint = next(event for event in stream.events() if spare.slug in event.data.get("rooms", []))
        post_message(vault, author=owner, text="secret", client_id=uuid.uuid4())
        post_message(spare, author=owner, text="open", client_id=uuid.uuid4())
        hint = next(event for event in stream.events() if spare.slug in event.data.get("rooms", []))
        assert hint.data["rooms"] == [spare.slug]


def test_typing_and_what_follows_go_from_one_process_to_the_other(
    servers: tuple[ServerProcess, ServerProcess], owner: User
) -> None:
    ring = make_rings(1, Room.Kind.PRIVATE, with_victim=True)[0]
    path = f"/rooms/{ring.room.slug}"
    with (
        listen(servers[1], ring.room, ring.victim, "typing") as viewer,
        closing(Line(servers[0], ring.sessions[ring.owner.pk])) as typist,
    ):
        assert typist.post(f"{path}/typing/") == 204
        assert viewer.next().data["seconds"] == 6  # for how long it is shown if nothing follows
        assert typist.post(f"{path}/messages/", text="typed", client_id=str(uuid.uuid4())) == 201
        assert viewer.next().event == "message_created"


def test_unread_hints_of_a_flood_in_the_other_process_come_once_a_second(
    servers: tuple[ServerProcess, ServerProcess], room: Room, owner: User
) -> None:
    ring = make_rings(1, Room.Kind.PRIVATE, with_victim=True)[0]
    actions.add_member(room, member=ring.victim, actor=owner)
    actors = Actors()
    with (
        listen(servers[1], room, ring.victim, "unread", "presence") as stream,
        closing(Line(servers[0], ring.sessions[ring.owner.pk])) as poster,
    ):
        until(stream, {"count": 1, "here": [ring.victim.pk]})
        stream.ignored.add("presence")
        began = time.monotonic()
        with actors.at_work(lambda: actors.post(poster, ring.room)):
            # The first of all says what was unread when the stream was opened.
            hints = list(islice((event for event in stream.events() if "whole" not in event.data), 3))
        lasted = time.monotonic() - began
    assert [hint.data for hint in hints] == [{"rooms": [ring.room.slug]}] * 3
    # Two whole seconds lie between three frames, but for the time that the first took to arrive.
    assert lasted > 1.5
    assert actors.posted > len(hints)


def test_presence_of_a_process_that_was_killed_decays(
    django_db_setup: None, static_files: None, transactional_db: None, room: Room, owner: User
) -> None:
    member = join(room, "member")
    database = connection.settings_dict
    with (
        ServerProcess(database, without="patience") as survivor,
        ServerProcess(database, without="patience") as killed,
        listen(survivor, room, owner, "presence") as here,
        listen(killed, room, member, "presence"),
    ):
        until(here, {"count": 2, "here": sorted([owner.pk, member.pk])})
        killed.stop(signal.SIGKILL)
        until(here, {"count": 1, "here": [owner.pk]})
