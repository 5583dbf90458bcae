"""Files of which two things are done at the same instant."""

from __future__ import annotations

import time
import uuid
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from accounts.models import User
from messaging.models import Attachment, Message
from messaging.sweeping import sweep
from messaging.uploading import attach
from project.files import store
from rooms.actions import create_room
from rooms.models import Room
from tests.cast import together
from tests.conftest import client_of
from tests.factories import MessageFactory, UserFactory
from tests.files.posting import post_form, sent
from tests.files.test_forwarding import forward, message_of
from tests.files.test_serving import carried

WAITS = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def owner() -> User:
    return UserFactory.create(username="olga")


@pytest.fixture
def room(owner: User) -> Room:
    return create_room(name="Attic", topic="", kind=Room.Kind.PUBLIC, actor=owner)


def test_forward_that_is_sent_twice_is_one_message(room: Room, owner: User, uploads: Path) -> None:
    target = create_room(name="Cellar", topic="", kind=Room.Kind.PUBLIC, actor=owner)
    message = message_of(carried(room, owner, b"some bytes", "notes.txt"))
    client_id = str(uuid.uuid4())
    answers = together(*(partial(forward, client_of(owner), message, target, client_id) for _ in range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert Attachment.objects.filter(room=target).count() == Message.objects.filter(room=target).count() == 1


def test_form_that_is_sent_twice_is_one_message(room: Room, owner: User, uploads: Path) -> None:
    client_id = str(uuid.uuid4())

    def send() -> Any:
        return post_form(client_of(owner), room, "look", b"one", b"two", client_id=client_id)

    answers = together(*(send for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert Message.objects.get().attachment_count == Attachment.objects.count() == 2


def test_file_that_is_being_posted_is_not_swept(room: Room, owner: User, uploads: Path, settings: Any) -> None:
    """An old one, which the sweep has found before and waits for."""
    (key,) = sent(client_of(owner), room, b"some bytes")
    Attachment.objects.update(created_at=Now() - timedelta(seconds=2 * settings.UPLOAD_LIFE_SECONDS))
    message = MessageFactory.create(room=room, author=owner)
    sweeping = Thread(target=swept)
    with transaction.atomic():
        attach([key], room_id=room.pk, author_id=owner.pk, message_id=message.pk)
        sweeping.start()
        wait_until_somebody_waits()
    sweeping.join(10)
    assert Attachment.objects.get().message_id == message.pk
    assert store.size_of(key) == len(b"some bytes")


def wait_until_somebody_waits() -> None:
    deadline = time.monotonic() + 10
    with connection.cursor() as cursor:
        while True:
            cursor.execute(WAITS)
            if cursor.fetchone() == (True,):
                return
            assert time.monotonic() < deadline, "nobody waits for the lock"
            time.sleep(0.01)


def swept() -> None:
    try:
        sweep()
    finally:
        connection.close()
