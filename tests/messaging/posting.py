from __future__ import annotations

import uuid
from typing import Any
from uuid import UUID

from django.test import Client

from accounts.models import User
from messaging.actions import Posted, post_message
from rooms.models import Room
from tests.answers import JSON


def post(client: Client, room: Room, text: str = "hello", /, headers: Any = JSON, **fields: str) -> Any:
    sent = {"text": text, "client_id": str(uuid.uuid4()), **fields}
    return client.post(f"/rooms/{room.slug}/messages/", sent, headers=headers)


def say(room: Room, author: User, text: str = "hello", client_id: UUID | None = None) -> Posted:
    return post_message(room, author=author, text=text, client_id=client_id or uuid.uuid4())


def log_of(room: Room) -> list[tuple[int, str]]:
    return list(room.events.order_by("position").values_list("position", "kind"))
