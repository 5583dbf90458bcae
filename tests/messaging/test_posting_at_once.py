from __future__ import annotations

import threading
import uuid
from contextlib import suppress
from functools import partial
from uuid import UUID

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from accounts.models import User
from messaging.actions import ClientIdConflictError, Posted, delete_message, edit_message
from messaging.models import Message
from rooms.models import Room
from tests.cast import Ear, together
from tests.factories import MembershipFactory, MessageFactory, RoomFactory, UserFactory
from tests.messaging.posting import log_of, say

committed = pytest.mark.django_db(transaction=True)


def attempt(room: Room, author: User, text: str, client_id: UUID) -> Posted | None:
    """Post, or return None when the id stands for another message."""
    try:
        return say(room, author, text, client_id)
    except ClientIdConflictError:
        return None


@committed
def test_eight_people_at_once_leave_no_gap_and_nobody_sees_one() -> None:
    room = RoomFactory.create()
    people = [MembershipFactory.create(room=room).user for _ in range(8)]
    before = len(log_of(room))
    done = threading.Event()

    def post(author: User) -> None:
        for number in range(6):
            say(room, author, f"{author.pk} {number}")

    def watch() -> list[tuple[int, int]]:
        """Look at the log while it grows: whoever sees N must see all below it."""
        seen: list[tuple[int, int]] = []
        is_last = False
        while not is_last:
            is_last = done.is_set()  # one more look after the end
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*), max(position) FROM rooms_event WHERE room_id = %s", [room.pk])
                seen.append(cursor.fetchone())
        return seen

    def post_all() -> list[tuple[int, int]]:
        try:
            together(*(partial(post, person) for person in people))
        finally:
            done.set()
        return []

    with Ear(room.channel_name) as ear:
        looks, _ = together(watch, post_all)
        heard = sorted(int(payload) for payload in ear.heard())
    assert [position for position, _ in log_of(room)] == list(range(1, before + 49))
    assert heard == list(range(before + 1, before + 49))
    assert [look for look in looks if look[0] != look[1]] == []
    assert looks[-1] == (before + 48, before + 48)
    mine = Message.objects.filter(author=people[0]).order_by("position").values_list("text", flat=True)
    assert list(mine) == [f"{people[0].pk} {number}" for number in range(6)]


@committed
def test_same_message_eight_times_at_once_is_one() -> None:
    room = RoomFactory.create()
    author, client_id = MembershipFactory.create(room=room).user, uuid.uuid4()
    with Ear(room.channel_name) as ear:
        answers = together(*(partial(say, room, author, "once", client_id) for _ in range(8)))
        assert ear.heard() == ["3"]
    assert sorted(created for _, created in answers) == [False] * 7 + [True]
    assert len({(message.pk, message.position, message.html) for message, _ in answers}) == 1
    assert log_of(room)[2:] == [(3, "message_created")]


@committed
def test_two_texts_under_one_id_at_once_are_one_message_and_conflicts() -> None:
    room = RoomFactory.create()
    author, client_id = MembershipFactory.create(room=room).user, uuid.uuid4()
    answers = together(*(partial(attempt, room, author, text, client_id) for text in ("a", "b") * 3))
    texts = [answer.message.text for answer in answers if answer]
    assert (len(texts), len(set(texts))) == (3, 1)
    assert len(log_of(room)) == 3


@committed
def test_two_rooms_under_one_id_at_once_are_one_message_and_a_conflict() -> None:
    author = UserFactory.create()
    rooms = [RoomFactory.create(actor=author) for _ in range(4)]
    answers = together(*(partial(attempt, room, author, "same", uuid.UUID(int=7)) for room in rooms))
    assert [answer.created for answer in answers if answer] == [True]
    assert Message.objects.count() == 1
    for room in rooms:
        room.refresh_from_db()
        assert [position for position, _ in log_of(room)] == list(range(1, room.last_position + 1))


@committed
def test_edit_and_delete_at_the_same_instant_leave_a_tombstone() -> None:
    author = UserFactory.create()
    message = MessageFactory.create(author=author)

    def edit() -> None:
        with suppress(ValidationError):
            edit_message(message, text="x", actor=author)

    def delete() -> None:
        delete_message(message, actor=author)

    together(edit, delete, edit)
    message.refresh_from_db()
    room = Room.objects.get(pk=message.room_id)
    assert (message.text, message.html, message.is_deleted) == ("", "", True)
    assert [position for position, _ in log_of(room)] == list(range(1, room.last_position + 1))
    assert log_of(room)[-1][1] == "message_deleted"
