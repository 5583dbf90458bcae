from __future__ import annotations

import uuid

import pytest
from django.test import Client

from accounts.models import User
from messaging.actions import delete_message
from messaging.models import Message
from rooms.actions import archive_room
from rooms.models import Room
from tests.cast import nothing_happens
from tests.conftest import client_of, join
from tests.factories import MembershipFactory, MessageFactory, RoomFactory, UserFactory

JSON = {"Accept": "application/json"}


@pytest.fixture
def target(owner: User) -> Room:
    return RoomFactory.create(name="Cellar", actor=owner)


def forward(client: Client, message: Message, room: str, client_id: str = "") -> int:
    path = f"/rooms/{message.room.slug}/messages/{message.pk}/forward/"
    fields = {"room": room, "client_id": client_id or str(uuid.uuid4())}
    return client.post(path, fields, headers=JSON).status_code


def test_message_is_quoted_with_its_author_and_room(room: Room, target: Room, owner: User) -> None:
    author = join(room, "under_score")
    message = MessageFactory.create(room=room, author=author, text="one\n\n**two**")
    client_id = str(uuid.uuid4())
    assert [forward(client_of(owner), message, target.slug, client_id) for _ in range(2)] == [200, 200]
    posted = Message.objects.get(room=target)
    assert posted.author == owner
    assert posted.text == "> one\n>\n> **two**\n\n— Under\\_score in #kitchen"
    assert posted.html.endswith(
        '<p>— Under_score in <a class="room-name" href="/rooms/kitchen/" '
        'rel="nofollow noopener noreferrer ugc">#kitchen</a></p>'
    )


def test_private_room_is_not_named(private_room: Room, target: Room, owner: User) -> None:
    message = MessageFactory.create(room=private_room, author=owner, text="psst")
    assert forward(client_of(owner), message, target.slug) == 200
    assert Message.objects.get(room=target).text == "> psst\n\n— Olga Owner"


def test_to_rooms_that_one_is_not_in(room: Room, private_room: Room, target: Room, owner: User) -> None:
    member = join(room, "member")
    message = MessageFactory.create(room=room, author=owner)
    gone = MessageFactory.create(room=room, author=owner)
    delete_message(gone, actor=owner)
    long = MessageFactory.create(room=room, author=owner, text="x" * 7_999)
    client = client_of(member)
    with nothing_happens():
        assert forward(client, message, target.slug) == 403
        assert forward(client, message, private_room.slug) == 404
        assert forward(client, message, "nowhere") == 404
        assert forward(client, message, "") == 400
        assert forward(client, message, "a\0b") == 400
        assert forward(client, gone, room.slug) == 400
        assert forward(client, long, room.slug) == 400
    MembershipFactory.create(room=target, member=member)
    assert forward(client, message, target.slug) == 200
    archive_room(target, actor=owner)
    with nothing_happens():
        assert forward(client, message, target.slug) == 403


def test_stranger_to_the_message_gets_nothing(private_room: Room, target: Room, owner: User) -> None:
    message = MessageFactory.create(room=private_room, author=owner, text="psst")
    stranger = UserFactory.create(username="stranger")
    MembershipFactory.create(room=target, member=stranger)
    assert forward(client_of(owner), message, target.slug) == 200
    client = client_of(stranger)
    with nothing_happens():
        assert forward(client, message, target.slug) == 404


def test_id_of_another_message_is_refused(room: Room, target: Room, owner: User) -> None:
    message = MessageFactory.create(room=room, author=owner)
    client = client_of(owner)
    with nothing_happens():
        assert forward(client, message, target.slug, str(message.client_id)) == 409
