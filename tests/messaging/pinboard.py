from __future__ import annotations

from django.test import Client

from messaging.models import Message
from rooms.models import Room
from tests.answers import JSON


def one(message: Message, what: str = "pin") -> str:
    return f"/rooms/{message.room.slug}/messages/{message.pk}/{what}/"


def board(client: Client, room: Room) -> list[tuple[str, str | None]]:
    """Return the texts that are pinned, as somebody sees them, each with who pinned it."""
    found = client.get(f"/rooms/{room.slug}/pins/", headers=JSON).json()["pins"]
    return [(each["message"]["text"], each["by"] and each["by"]["username"]) for each in found]
