"""A public room is closed to whoever is banned from it: what anybody else may read there, they may not."""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from messaging.actions import edit_message
from messaging.models import Attachment, Message
from rooms import moderation
from rooms.actions import archive_room
from rooms.models import Ban, Room
from tests.cast import nothing_happens, whole
from tests.conftest import client_of, join
from tests.factories import MessageFactory, RoomFactory, UserFactory
from tests.files.making import png, send

BANNED = "You are banned from this room. Its moderators can lift the ban."
JSON = {"Accept": "application/json"}


@pytest.fixture(autouse=True)
def uploads(settings: Any, tmp_path: Path) -> None:
    settings.UPLOADS_DIR = tmp_path / "uploads"


def fill(room: Room) -> Message:
    """Say something in a room, change it, and send a picture."""
    author = join(room, "author")
    message = MessageFactory.create(room=room, author=author, text="Canary Text")
    edit_message(message, text="Canary Change", actor=author)
    key = send(client_of(author), room.slug, png(1000, 800), "canary.png").json()["id"]
    MessageFactory.create(room=room, author=author, text="", attachments=[key])
    return message


def readings(client: Client, room: Room) -> list[Any]:
    """Return the answers to all that reads in a room without being in it."""
    path, message = f"/rooms/{room.slug}", Message.objects.filter(room=room).earliest("position")
    file = Attachment.objects.get(room=room)
    gets = ["/", f"/?around={message.position}", "/messages/", "/members/", f"/messages/{message.pk}/revisions/"]
    paths = [*(f"{path}{end}" for end in gets), file.url, file.thumbnail_url]
    return [client.get(each, headers=headers) for each in paths for headers in ({}, JSON)]


def statuses(client: Client, room: Room) -> list[int]:
    return [response.status_code for response in readings(client, room)]


OPEN, CLOSED = [200] * 14, [403] * 10 + [404] * 4


@pytest.mark.parametrize("is_archived", [False, True], ids=["open", "archived"])
def test_banned_person_reads_nothing_of_a_public_room_until_the_ban_is_lifted(
    room: Room, owner: User, outsider: User, is_archived: bool
) -> None:
    fill(room)
    person = join(room, "person")
    if is_archived:
        archive_room(room, actor=owner)
    client, stranger = client_of(person), client_of(outsider)
    assert statuses(client, room) == OPEN
    made = moderation.ban(room, user=person, reason="Canary Reason", expires_at=None, actor=owner)
    with nothing_happens():
        answers = readings(client, room)
        assert client.post(f"/rooms/{room.slug}/join/").status_code == 403
        assert client.get(f"/rooms/{room.slug}/stream/").status_code == 403
    assert [response.status_code for response in answers] == CLOSED
    assert [response for response in answers if b"Canary" in whole(response) or b"canary" in whole(response)] == []
    assert BANNED in answers[0].content.decode()
    assert statuses(stranger, room) == OPEN
    moderation.lift_ban(made, actor=owner)
    assert statuses(client, room) == OPEN


def test_ban_that_has_run_out_closes_nothing(room: Room, owner: User) -> None:
    fill(room)
    person = join(room, "person")
    until = timezone.now() + timedelta(hours=1)
    made = moderation.ban(room, user=person, reason="", expires_at=until, actor=owner)
    client = client_of(person)
    assert statuses(client, room) == CLOSED
    Ban.objects.filter(pk=made.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert statuses(client, room) == OPEN


def test_ban_closes_one_room_to_one_person(room: Room, owner: User) -> None:
    other, banned, third = RoomFactory.create(actor=owner), UserFactory.create(), UserFactory.create()
    fill(room)
    moderation.ban(other, user=banned, reason="", expires_at=None, actor=owner)
    assert client_of(banned).get(f"/rooms/{other.slug}/").status_code == 403
    assert statuses(client_of(banned), room) == OPEN
    assert client_of(third).get(f"/rooms/{other.slug}/").status_code == 200


def test_banned_person_carries_nothing_out(room: Room, owner: User) -> None:
    message, person, target = fill(room), join(room, "person"), RoomFactory.create(actor=owner)
    join_there = client_of(person)
    assert join_there.post(f"/rooms/{target.slug}/join/").status_code == 302
    path = f"/rooms/{room.slug}/messages/{message.pk}/forward/"

    def forward() -> int:
        sent = {"room": target.slug, "client_id": str(uuid.uuid4())}
        return join_there.post(path, sent, headers=JSON).status_code

    assert forward() == 200
    moderation.ban(room, user=person, reason="", expires_at=None, actor=owner)
    with nothing_happens():
        assert forward() == 403


def test_banned_person_knows_of_the_room_as_everybody_does(room: Room, owner: User) -> None:
    person = join(room, "person")
    moderation.ban(room, user=person, reason="", expires_at=None, actor=owner)
    assert room.name in client_of(person).get("/rooms/").content.decode()
