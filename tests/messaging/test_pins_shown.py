"""What is pinned to a room, as its people see it: on its board, in its heading and in its stream."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from accounts import actions as accounts
from accounts.ignoring import ignore
from accounts.models import User
from messaging import events, leaving
from messaging.models import Message
from messaging.pinning import pin_message, unpin_message
from rooms import actions
from rooms.models import Membership, Room
from tests.answers import JSON
from tests.cast import nothing_happens
from tests.conftest import client_of, join, leave
from tests.factories import MessageFactory
from tests.messaging.pinboard import board, one


def test_log_and_table_say_the_same_and_a_replay_shows_what_is_now(message: Message, owner: User) -> None:
    pin_message(message, actor=owner)
    whole = Message.objects.with_people().get(pk=message.pk)
    created, pinned = events.read_after(message.room_id, 1, 100)
    for entry in (created, pinned):
        assert entry.state["message"] == events.message_data(whole)
        assert entry.state["message"]["pinned_at"].endswith("Z")
        assert entry.row == events.message_row(whole, message.room.slug)
        assert entry.row.count("message--pinned") == entry.row.count('data-says="pinned"') == 1
    assert (pinned.event, pinned.revises) == ("message_pinned", True)
    unpin_message(message, actor=owner)
    for entry in events.read_after(message.room_id, 1, 100):
        assert (entry.state["message"]["pinned_at"], "pinned" in str(entry.row)) == (None, False)


def test_older_messages_are_not_seen_through_pins_by_whoever_joined_after(private_room: Room, owner: User) -> None:
    """Neither by name nor by number: not on the board, in the heading, in a stream, nor by pinning them."""
    actions.change_policy(private_room, history="joined", who_pins="member", actor=owner)
    room = Room.objects.get(pk=private_room.pk)
    early = join(room, "early")
    old = MessageFactory.create(room=room, author=owner, text="Canary Text")
    late = join(room, "late")
    quoting = MessageFactory.create(room=room, author=owner, text="after", reply_to=old)
    for message in (old, quoting):
        pin_message(message, actor=owner)
    paths = [f"/rooms/{room.slug}/{page}" for page in ("pins/", "pins/?rows", "")]
    for person, knows in ((early, True), (late, False)):
        client = client_of(person)
        assert [("Canary" in client.get(path).content.decode()) for path in paths] == [knows] * 3
        found = client.get(paths[0], headers=JSON).content.decode()
        assert ("Canary" in found, "after" in found) == (knows, True)
        heading = f'data-pinned="{quoting.pk} {old.pk}"' if knows else f'data-pinned="{quoting.pk}"'
        assert heading in client.get(paths[2]).content.decode()
    with nothing_happens():
        for what in ("pin", "unpin"):
            assert client.post(one(old, what), headers=JSON).status_code == 404
    answer = client.post(one(quoting, "unpin"), headers=JSON)
    assert (answer.status_code, answer.json()["reply_to"]) == (200, None)
    floor = Membership.objects.get(room=room, user=late).joined_position
    pinned = [entry for entry in events.read_after(room.pk, 0, 100) if entry.event == "message_pinned"]
    shown, hidden = (b"".join(entry.frame("html", floor=place) for entry in pinned) for place in (0, floor))
    assert (shown.count(b"Canary") > 0, hidden.count(b"Canary"), hidden.count(b'"message":null')) == (True, 0, 1)


def test_text_of_an_ignored_person_is_folded_on_the_board(message: Message, owner: User) -> None:
    reader = join(message.room, "reader")
    pin_message(message, actor=owner)
    client, path = client_of(reader), f"/rooms/{message.room.slug}/pins/"
    assert message.text in client.get(path).content.decode()
    ignore(reader, username="owner")
    page = client.get(path).content.decode()
    assert (message.text in page, "From somebody you ignore." in page) == (False, True)


def test_board_says_who_pinned_it_last_and_leads_to_its_place(message: Message, owner: User) -> None:
    moderator, room = join(message.room, "moderator", "moderator"), message.room
    for actor in (owner, moderator):
        pin_message(message, actor=actor)
        unpin_message(message, actor=actor)
    pin_message(message, actor=moderator)
    assert board(client_of(owner), room) == [(message.text, "moderator")]
    page = client_of(owner).get(f"/rooms/{room.slug}/pins/").content.decode()
    assert f'href="/rooms/{room.slug}/?at={message.position}#message-{message.position}"' in page
    assert "Pinned by <bdi>Moderator</bdi>" in page
    rows = client_of(owner).get(f"/rooms/{room.slug}/pins/?rows").content.decode()
    assert (f'href="#message-{message.position}"' in rows, "<html" in rows, rows.count("<li ")) == (True, False, 1)
    leave(room, moderator)
    accounts.close_account(moderator, takes_messages=False)
    leaving.finish_leaving()
    assert board(client_of(owner), room) == [(message.text, None)]


@pytest.mark.parametrize("rows", [1, 3])
def test_board_costs_the_same_for_any_number_of_rows(
    room: Room, owner: User, rows: int, django_assert_num_queries: Any
) -> None:
    for number in range(rows):
        said = MessageFactory.create(room=room, author=join(room, f"person{number}"))
        pin_message(MessageFactory.create(room=room, author=owner, reply_to=said), actor=owner)
    client = client_of(owner)
    for format, queries in (({}, 9), (JSON, 6)):
        with django_assert_num_queries(queries):
            client.get(f"/rooms/{room.slug}/pins/", headers=format)


def test_pins_are_found_by_their_index(message: Message, owner: User) -> None:
    pin_message(message, actor=owner)
    pins = Message.objects.filter(room=message.room, pinned_at__isnull=False).order_by("-pinned_at")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert "message_pinned" in pins.explain()
