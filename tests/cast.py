"""Everybody who may come to a room, and the proof that a refusal changed nothing."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from threading import Barrier
from types import TracebackType
from typing import Any, Self, TypeVar

import psycopg
from django.db import connection, transaction
from django.db.models import Model
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from psycopg import sql

from accounts.audit import AuditEntry
from accounts.models import Ignored, SiteBan, User
from invites.models import Invite
from messaging.models import Attachment, Mention, Message, Reaction, Report
from messaging.moderation import report_message
from project.realtime.reader import connection_settings
from rooms.actions import archive_room
from rooms.models import Ban, Epoch, Event, Membership, Mute, OwnerLink, Raid, Room, WordFilter
from rooms.moderation import ban, guard_against_raid, mute
from tests.conftest import client_of, join, leave
from tests.factories import MessageFactory, RoomFactory, UserFactory

T = TypeVar("T")

CAST = ("owner", "moderator", "member", "outsider", "former_member", "anonymous")
HEARD_SECONDS = 10.0
_TABLES: tuple[type[Model], ...] = (
    *(User, Room, Membership, Event, Message, Reaction, Mention, Attachment, Epoch, OwnerLink),
    *(Ban, Mute, Raid, WordFilter, SiteBan, Report, AuditEntry, Invite, Ignored),
)


@dataclass(frozen=True)
class Scene:
    """A room in which everything that can be read is a canary, and the whole cast around it."""

    room: Room
    message: Message  # by a member who is none of the cast
    people: dict[str, User]
    report: Report  # of that message

    def client(self, role: str) -> Client:
        return client_of(self.people[role]) if role in self.people else Client()


def make_scene(kind: str) -> Scene:
    """Build the cast around a room that is `public`, `private` or (public and) `archived`."""
    Epoch.current()
    owner = UserFactory.create(username="owner")
    room = RoomFactory.create(
        name="Canary Name",
        topic="Canary Topic",
        kind=Room.Kind.PRIVATE if kind == "private" else Room.Kind.PUBLIC,
        actor=owner,
    )
    people = {
        "owner": owner,
        "moderator": join(room, "moderator", Membership.Role.MODERATOR),
        "member": join(room, "member"),
        "former_member": join(room, "former"),
        "outsider": UserFactory.create(username="outsider"),
    }
    leave(room, people["former_member"])
    bystander = UserFactory.create(username="bystander", name="Canary Person")
    message = MessageFactory.create(room=room, author=bystander, text="Canary Text")
    UserFactory.create(username="newcomer")
    ban(room, user=UserFactory.create(username="banned"), reason="Canary Reason", expires_at=None, actor=owner)
    report = report_message(message, reason="Canary Reason", reporter=owner)
    muted = join(room, "muted")
    mute(room, user=muted, reason="Canary Reason", expires_at=None, actor=owner)
    guard_against_raid(room, hours=1, expires_at=timezone.now() + timedelta(hours=1), actor=owner)
    # Nobody of the cast is new.
    User.objects.update(date_joined=timezone.now() - timedelta(days=2))
    if kind == "archived":
        archive_room(room, actor=owner)
    people = {role: User.objects.get(pk=person.pk) for role, person in people.items()}
    return Scene(Room.objects.get(pk=room.pk), Message.objects.get(pk=message.pk), people, report)


def all_rows() -> dict[str, list[Any]]:
    return {table.__name__: list(table._default_manager.order_by("pk").values_list()) for table in _TABLES}


@contextmanager
def nothing_happens() -> Iterator[None]:
    """Fail if a row changes, or anything is left to be done after a commit, inside the block."""
    Epoch.current()  # begun by the first page that is shown at all
    rows, left_to_do = all_rows(), len(connection.run_on_commit)
    yield
    assert all_rows() == rows
    assert len(connection.run_on_commit) == left_to_do


@contextmanager
def undone() -> Iterator[None]:
    """Take back what the block writes."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def whole(response: Any) -> bytes:
    """Return all that an answer says: its headers and its body, of a stream none of the latter."""
    head = repr(sorted(response.headers.items())).encode()
    return head + (response.content if isinstance(response, HttpResponse) else b"")


def together(*calls: Callable[[], T]) -> list[T]:
    """Make all the calls at the same instant, each in a thread with a database connection of its own."""
    barrier = Barrier(len(calls))

    def at_the_barrier(call: Callable[[], T]) -> T:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=10)
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(at_the_barrier, calls))


class Ear:
    """A plain LISTEN on channels, as any role of the database may have one."""

    def __init__(self, *channels: str) -> None:
        self._mark_channel = f"mark_{uuid.uuid4().hex}"
        self._connection = psycopg.connect(**connection_settings(), autocommit=True)
        for channel in (*channels, self._mark_channel):
            self._connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def heard(self) -> Sequence[str]:
        """Return the payloads of all that was committed before this call: a mark that we send behind it ends them."""
        self._connection.execute("SELECT pg_notify(%s, '')", [self._mark_channel])
        payloads: list[str] = []
        for notification in self._connection.notifies(timeout=HEARD_SECONDS):
            if notification.channel == self._mark_channel:
                return payloads
            payloads.append(notification.payload)
        raise AssertionError("our own mark was not heard")
