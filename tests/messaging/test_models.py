from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from accounts.models import User
from messaging.models import Message
from rooms.models import Room
from tests.factories import MessageFactory, UserFactory


@pytest.fixture
def message(room: Room, owner: User) -> Message:
    return MessageFactory.create(room=room, author=owner, text="hello")


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"text": ""}, "message_text_unless_deleted"),
        ({"deleted_at": Now()}, "message_text_unless_deleted"),
        ({"deleted_at": Now(), "text": ""}, "message_text_unless_deleted"),
        ({"deleted_at": Now(), "html": ""}, "message_text_unless_deleted"),
        ({"position": -1}, "position"),
    ],
    ids=["no text", "deleted with text", "deleted with HTML", "deleted with source", "negative position"],
)
def test_database_refuses_a_broken_message(message: Message, changes: dict[str, Any], constraint: str) -> None:
    mine = Message.objects.filter(pk=message.pk)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        mine.update(**changes)
    assert mine.update(deleted_at=Now(), text="", html="") == 1


def test_database_refuses_two_messages_in_one_place(message: Message, room: Room, owner: User) -> None:
    twin = {"room": room, "author": owner, "text": "x", "html": "x", "client_id": uuid.uuid4(), "position": 2}
    with pytest.raises(IntegrityError, match="message_room_position_unique"), transaction.atomic():
        Message.objects.create(**twin)
    Message.objects.create(**{**twin, "position": 3})


def test_database_refuses_a_client_id_twice_of_one_author_only(message: Message, room: Room, outsider: User) -> None:
    twin = {"room": room, "text": "x", "html": "x", "client_id": message.client_id, "position": 9}
    with pytest.raises(IntegrityError, match="message_author_client_id_unique"), transaction.atomic():
        Message.objects.create(author=message.author, **twin)
    Message.objects.create(author=outsider, **twin)


def test_messages_of_a_deleted_account_keep_apart(room: Room) -> None:
    people = UserFactory.create_batch(2)
    client_id = uuid.uuid4()
    for person in people:
        MessageFactory.create(room=room, author=person, client_id=client_id)
        person.delete()
    assert Message.objects.filter(author=None, client_id=client_id).count() == 2


def test_messages_after_a_position(room: Room, owner: User) -> None:
    MessageFactory.create_batch(3, room=room, author=owner)
    messages = Message.objects.filter(room=room)
    assert [message.position for message in messages.after(3)] == [4]
    assert [message.position for message in messages.all()] == [2, 3, 4]


def test_messages_of_public_rooms_are_those_only(message: Message, private_room: Room, owner: User) -> None:
    MessageFactory.create(room=private_room, author=owner)
    assert list(Message.objects.in_rooms_open_to(owner)) == [message]


def test_message_is_by_its_author_alone(message: Message, owner: User, outsider: User) -> None:
    assert (message.is_by(owner), message.is_by(outsider)) == (True, False)
    message.author = None
    assert not message.is_by(owner)
