"""What every measurement stands on: a database of its own, people who are signed in, rooms, the server."""

from __future__ import annotations

import fcntl
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass
from datetime import timedelta
from io import StringIO
from typing import Any, Literal, TypeVar, cast

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.db.backends.postgresql.base import DatabaseWrapper
from django.utils import timezone

from accounts.models import User
from project import embedded
from rooms.actions import create_room
from rooms.models import Membership, Room
from tests.benchmarks.child import Usage
from tests.server import ServerProcess

Say = Callable[[str], None]
Scale = Literal["short", "usual", "full"]
N = TypeVar("N", int, float)


@dataclass(frozen=True)
class Person:
    user: User
    cookie: str


class Stage:
    def __init__(self, say: Say, scale: Scale) -> None:
        self.say = say
        self.scale = scale
        self._people: list[Person] = []
        self._rooms = 0

    def pick(self, usual: N, *, short: N, full: N | None = None) -> N:
        """Return how much of something this run is about."""
        return {"short": short, "usual": usual, "full": usual if full is None else full}[self.scale]

    @property
    def rounds(self) -> int:
        """How often each thing is measured."""
        return self.pick(3, short=1)

    def people(self, number: int) -> list[Person]:
        """Return so many people, each signed in; they are the same ones every time."""
        if number > len(self._people):
            self._people += _signed_in(_users(len(self._people), number))
        return self._people[:number]

    def room(self, members: int) -> tuple[Room, list[Person]]:
        """Return a new room and its members."""
        people = self.people(members)
        self._rooms += 1
        room = create_room(name=f"Room {self._rooms}", topic="", kind=Room.Kind.PUBLIC, actor=people[0].user)
        Membership.objects.bulk_create(
            [Membership(room=room, user=person.user) for person in people[1:]], batch_size=1_000
        )
        return room, people

    @contextmanager
    def server(self, **environment: str) -> Iterator[tuple[ServerProcess, Usage]]:
        """The shipped server, by one process, and what that uses."""
        with ServerProcess(connection.settings_dict, 1, PGAPPNAME="earshot", **environment) as process:
            assert process.process
            yield process, Usage(process.process.pid)


@contextmanager
def built(say: Say, scale: Scale) -> Iterator[Stage]:
    """A new database on the embedded PostgreSQL, or beside that of DATABASE_URL; it is dropped afterwards."""
    running = embedded.running(settings.DATA_DIR, say) if settings.EMBEDDED_POSTGRES else nullcontext()
    with _alone(), running:
        say("Making a database, and the static files …")
        connection.settings_dict["TEST"]["NAME"] = f"bench_{connection.settings_dict['NAME']}"
        name = connection.settings_dict["NAME"]
        with redirect_stdout(StringIO()):  # a migration has its say whatever the verbosity
            connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        try:
            call_command("collectstatic", interactive=False, verbosity=0)
            yield Stage(say, scale)
        finally:
            connection.close()
            cast("DatabaseWrapper", connection).close_pool()
            connection.creation.destroy_test_db(name, verbosity=0)


@contextmanager
def _alone() -> Iterator[None]:
    """Keep a second run out, for as long as the block lasts: the two would measure, and drop, each other's."""
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    with (settings.DATA_DIR / "bench.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit("Another `make bench` is running here; wait until it is done.") from None
        yield


def _users(first: int, end: int) -> list[User]:
    users = [
        User(username=f"person{number}", email=f"person{number}@example.org", password=f"!{uuid.uuid4()}")
        for number in range(first, end)
    ]
    return User.objects.bulk_create(users, batch_size=1_000)


def _signed_in(users: list[User]) -> list[Person]:
    store = SessionStore()
    until = timezone.now() + timedelta(days=1)
    sessions = [
        Session(session_key=uuid.uuid4().hex, session_data=store.encode(_session_data(user)), expire_date=until)
        for user in users
    ]
    Session.objects.bulk_create(sessions, batch_size=1_000)
    return [
        Person(user, f"{settings.SESSION_COOKIE_NAME}={session.session_key}")
        for user, session in zip(users, sessions, strict=True)
    ]


def _session_data(user: User) -> dict[str, Any]:
    return {
        SESSION_KEY: str(user.pk),
        BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
        HASH_SESSION_KEY: user.get_session_auth_hash(),
    }
