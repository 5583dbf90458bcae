from __future__ import annotations

import uuid

from accounts.models import User
from messaging.actions import post_message
from messaging.models import Message
from rooms.models import Room
from tests.conftest import client_of
from tests.server import ServerProcess
from tests.streams import EventStream, StreamEvent


def say(room: Room, author: User, text: str) -> Message:
    return post_message(room, author=author, text=text, client_id=uuid.uuid4()).message


def open_stream(
    server: ServerProcess, room: Room, user: User, query: str = "", last_event_id: str | None = None
) -> EventStream:
    return EventStream(server, client_of(user), f"/rooms/{room.slug}/stream/{query}", last_event_id)


def texts(events: list[StreamEvent]) -> list[str]:
    return [event.data["message"]["text"] for event in events]
