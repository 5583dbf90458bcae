from __future__ import annotations

import uuid
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from rooms.models import Room
from tests.files.making import send


def post(client: Client, room: Room, text: str, *keys: str, client_id: str = "") -> Any:
    fields = {"text": text, "client_id": client_id or str(uuid.uuid4()), "attachments": ",".join(keys)}
    return client.post(f"/rooms/{room.slug}/messages/", fields, headers={"Accept": "application/json"})


def post_form(client: Client, room: Room, text: str, *files: bytes, client_id: str = "") -> Any:
    parts = [SimpleUploadedFile(f"{number}.txt", data) for number, data in enumerate(files)]
    fields = {"text": text, "client_id": client_id or str(uuid.uuid4()), "files": parts}
    return client.post(f"/rooms/{room.slug}/messages/", fields, headers={"Accept": "application/json"})


def sent(client: Client, room: Room, *files: bytes) -> list[str]:
    return [send(client, room.slug, data, f"{number}.txt").json()["id"] for number, data in enumerate(files)]
