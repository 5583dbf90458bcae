"""What a person gave the site, and what it knows of them by that, for them to take along."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from threading import Event
from typing import IO, Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.db.models import Case, Expression, F, QuerySet, Value, When
from django.db.models.functions import Concat

from accounts.http import SignedInRequest
from accounts.models import Device, Ignored, User
from messaging.models import Attachment, Message, MessageRevision, Reaction, Report
from project.database import unhurried
from project.files import store
from project.files.archive import Stored
from project.realtime.afterwards import begun
from project.realtime.reader import leave_the_pool
from rooms.models import Membership, Room

FORMAT = 3
PICTURE = "picture.webp"
_AT_ONCE = 500
# One at a time, on a connection of its own that is closed with it: a million messages take long.
_WRITER = ThreadPoolExecutor(1, "exports", initializer=leave_the_pool, initargs=("earshot exports",))
_IS_ENDING = Event()
_PATH = Concat(Value("files/"), "key", Value("/"), "name")  # in the archive: two may have one name


def begin_export(request: SignedInRequest) -> Future[IO[bytes]]:
    """Begin to write what is known of a person, in memory while it is little. The future may raise `StorageError`."""
    return begun(request, _WRITER, partial(_written, request.user), clean_up=_disconnect)


def stop() -> None:
    """End all exports: whoever waits for one is gone. A process that ends would otherwise wait for its own."""
    _IS_ENDING.set()
    _WRITER.shutdown(wait=False, cancel_futures=True)


def write_export(user: User, target: IO[bytes]) -> None:
    """Write a person's profile, and then table by table what they gave, as JSON, row by row; times are in UTC.

    What others wrote is theirs, and is not in it, nor what was decided about people or by them. Of rooms that the
    person has left it has only what they wrote there, and of one that they may not know of any more not the name that
    it has now.
    """
    profile = {"format": FORMAT, "profile": _profile(user)}
    target.write(_encoded(profile)[:-1])
    for name, rows in _tables(user):
        target.write(b",\n" + _encoded(name) + b": [")
        for number, row in enumerate(rows.iterator(chunk_size=_AT_ONCE)):
            if _IS_ENDING.is_set():
                raise store.StorageError("the server is ending")
            target.write((b",\n " if number else b"\n ") + _encoded(row))
        target.write(b"]")
    target.write(b"}\n")


def files_of(user: User) -> Iterator[Stored]:
    """Yield the files that are a person's: their picture, and what they sent and nobody deleted."""
    if user.avatar_key:
        yield Stored(user.avatar_key, PICTURE)
    for key, path in _files(user).values_list("key", _PATH):
        yield Stored(key, path)


def _written(user: User) -> IO[bytes]:
    store.require_space()
    data = store.spooled()
    try:
        with store.faults_named(), unhurried():
            write_export(user, data)
        data.seek(0)
    except BaseException:
        data.close()
        raise
    return data


def _disconnect() -> None:
    connection.close()  # that of the thread in which this is called


def _tables(user: User) -> Iterator[tuple[str, QuerySet[Any]]]:
    room = {"room_name": _room_name(user), "room_address": F("room__slug")}
    devices, memberships = Device.objects.filter(user=user), Membership.objects.in_force().filter(user=user)
    messages = Message.objects.filter(author=user, deleted_at=None)
    reactions = Reaction.objects.filter(user=user)
    yield "devices", devices.order_by("pk").values("browser", "system", "network", "created_at", "seen_at")
    yield "memberships", memberships.order_by("pk").values("role", "joined_at", "last_read_position", **room)
    said = ("id", "position", "text", "created_at", "edited_at", "pinned_at")
    yield "messages", messages.order_by("pk").values(*said, **room)
    revisions = MessageRevision.objects.filter(message__in=messages)
    yield "revisions", revisions.order_by("pk").values("message_id", "text", "written_at")
    sent = ("key", "name", "size", "sha256", "content_type", "created_at", "message_id")
    yield "files", _files(user).values(*sent, path=_PATH)
    yield "reactions", reactions.order_by("pk").values("emoji", "message_id")
    reports, ignores = Report.objects.filter(reporter=user), Ignored.objects.filter(person=user)
    yield "reports", reports.order_by("pk").values("message_id", "reason", "created_at")
    yield "ignores", ignores.order_by("pk").values(username=F("ignored__username"))


def _files(user: User) -> QuerySet[Attachment]:
    return Attachment.objects.filter(uploader=user, message__deleted_at=None).order_by("pk")


def _room_name(user: User) -> Expression:
    return Case(When(room__in=Room.objects.visible_to(user), then=F("room__name")), default=Value(""))


def _profile(user: User) -> dict[str, Any]:
    names = ("username", "name", "email", "language", "enter_sends", "date_joined", "last_login")
    return {name: getattr(user, name) for name in names}


def _encoded(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, cls=DjangoJSONEncoder).encode()
