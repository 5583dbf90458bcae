from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from messaging.models import Message
from rooms.models import Room
from tests.conftest import client_of
from tests.factories import MessageFactory


@pytest.fixture
def browser(owner: User) -> Client:
    return client_of(owner)


@pytest.fixture
def message(room: Room, owner: User) -> Message:
    return MessageFactory.create(room=room, author=owner, text="rude words")
