"""Actors of a race between a revocation and a poster: real connections to two server processes on one database."""

from __future__ import annotations

import http.client
import json
import re
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.models import User
from rooms.channels import channel_name
from rooms.models import Membership, Room
from tests.factories import UserFactory
from tests.server import ServerProcess

WAIT_SECONDS = 15.0
CSRF = "r" * 32
_BACKEND = settings.AUTHENTICATION_BACKENDS[0]


@dataclass(frozen=True)
class Ring:
    """A room with its owner, who posts, and the victim. They are rows only: nobody was announced."""

    room: Room
    owner: User
    victim: User
    sessions: dict[int, str]


def make_rings(number: int, kind: str, *, with_victim: bool) -> list[Ring]:
    """Build all the rings of a test in a few statements."""
    people = User.objects.bulk_create(UserFactory.build_batch(2 * number))
    names = [f"ring-{uuid.uuid4().hex[:12]}" for _ in range(number)]
    rooms = Room.objects.bulk_create(
        Room(name=name, slug=name, kind=kind, channel_name=channel_name(name)) for name in names
    )
    rings = [
        Ring(room, owner, victim, {})
        for room, owner, victim in zip(rooms, people[:number], people[number:], strict=True)
    ]
    Membership.objects.bulk_create(
        Membership(room=ring.room, user=ring.owner, role=Membership.Role.OWNER) for ring in rings
    )
    if with_victim:
        Membership.objects.bulk_create(Membership(room=ring.room, user=ring.victim) for ring in rings)
    for ring in rings:
        ring.sessions.update(sign_in([ring.owner, ring.victim]))
    return rings


def sign_in(people: list[User]) -> dict[int, str]:
    """Return a new session of each person, by their id."""
    until, store = timezone.now() + timedelta(days=1), SessionStore()
    keys = {person.pk: uuid.uuid4().hex for person in people}
    Session.objects.bulk_create(
        Session(
            session_key=keys[person.pk],
            expire_date=until,
            session_data=store.encode(
                {
                    SESSION_KEY: str(person.pk),
                    BACKEND_SESSION_KEY: _BACKEND,
                    HASH_SESSION_KEY: person.get_session_auth_hash(),
                }
            ),
        )
        for person in people
    )
    return keys


class Line:
    """A connection that is kept, of one session with one server process."""

    def __init__(self, server: ServerProcess, session: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=WAIT_SECONDS)
        self._stream: http.client.HTTPResponse | None = None
        self._socket: socket.socket | None = (
            None  # the stream's: `http.client` forgets it, as the server is to close it
        )
        cookies = f"{settings.SESSION_COOKIE_NAME}={session}; {settings.CSRF_COOKIE_NAME}={CSRF}"
        self._headers = {"Cookie": cookies, "X-CSRFToken": CSRF, "Accept": "application/json"}

    def get(self, path: str, accept: str = "application/json") -> tuple[int, bytes]:
        return self._ask("GET", path, None, {"Accept": accept})

    def post(self, path: str, **fields: str) -> int:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._ask("POST", path, urlencode(fields), kind)[0]

    def open(self, path: str) -> http.client.HTTPResponse:
        self._connection.request("GET", path, headers={**self._headers, "Accept": "text/event-stream"})
        self._socket = self._connection.sock
        self._stream = self._connection.getresponse()
        return self._stream

    def _ask(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> tuple[int, bytes]:
        self._connection.request(method, path, body, {**self._headers, **headers})
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def cut(self) -> None:
        """End the connection under whoever reads it."""
        if self._socket:
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        if self._stream:
            self._stream.close()
        self._connection.close()


@contextmanager
def lines(*ends: tuple[ServerProcess, str]) -> Iterator[list[Line]]:
    """Lines of these sessions with these processes, closed at the end whatever happens."""
    made = [Line(server, session) for server, session in ends]
    try:
        yield made
    finally:
        for line in made:
            line.close()


@dataclass
class Seen:
    """What the victim was shown: highest position, how, and when the request that showed it began and was answered."""

    position: int
    how: str
    began: float


@dataclass
class Actors:
    """Threads that go on until `stop`; each counts what it did, and others wait for a count."""

    posted: int = 0
    refused: int = 0
    asked: int = 0
    seen: list[Seen] = field(default_factory=list)
    statuses: list[tuple[float, str, int]] = field(default_factory=list)
    stream_ended_at: float | None = None
    stream_last: str = ""
    failures: list[BaseException] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.stopping = threading.Event()
        self._changed = threading.Condition()
        self._has_cut = False

    def note(self, change: Callable[[], None]) -> None:
        with self._changed:
            change()
            self._changed.notify_all()

    def wait_for(self, what: Callable[[], bool], seconds: float = WAIT_SECONDS) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: bool(self.failures) or what(), seconds)

    @contextmanager
    def at_work(self, *work: Callable[[], None]) -> Iterator[None]:
        threads = [threading.Thread(target=self._guarded, args=(each,)) for each in work]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stopping.set()
            for thread in threads:
                thread.join(WAIT_SECONDS)
        assert not any(thread.is_alive() for thread in threads)
        assert self.failures == []

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 (the test's own thread raises it)
            failure = error
            self.note(lambda: self.failures.append(failure))

    def post(self, line: Line, room: Room) -> None:
        """Post as fast as it goes."""
        while not self.stopping.is_set():
            status = line.post(f"/rooms/{room.slug}/messages/", text="psst", client_id=str(uuid.uuid4()))
            self.note(self._count_post if status == 201 else self._count_refusal)

    def _count_post(self) -> None:
        self.posted += 1

    def _count_refusal(self) -> None:
        self.refused += 1

    def ask(self, line: Line, room: Room) -> None:
        """Ask for the page and for the history, in turn."""
        paths = (("history", f"/rooms/{room.slug}/messages/"), ("page", f"/rooms/{room.slug}/"))
        while not self.stopping.is_set():
            for how, path in paths:
                began = time.monotonic()
                status, body = line.get(path, "application/json" if how == "history" else "text/html")
                self.note(lambda: self._note_answer(began, how, status, body))  # noqa: B023 (called at once)

    def _note_answer(self, began: float, how: str, status: int, body: bytes) -> None:
        self.asked += 1
        self.statuses.append((began, how, status))
        if status == 200:
            self.seen.append(Seen(positions_in(how, body), how, began))

    def follow(self, stream: http.client.HTTPResponse) -> None:
        """Read the stream to its end."""
        try:
            self._read(stream)
        except ConnectionResetError:  # what still comes to a connection that was shut down resets it
            if not self._has_cut:
                raise
        self.note(self._end_stream)

    def cut(self, line: Line) -> None:
        """End the stream that is followed on this line."""
        self._has_cut = True
        line.cut()

    def _read(self, stream: http.client.HTTPResponse) -> None:
        event = ""
        while line := stream.readline():
            if line.startswith(b"event: "):
                event = line[7:].decode().strip()
                self.stream_last = event
            elif line.startswith(b"data: ") and event.startswith(("message_", "membership_", "room_")):
                position = int(json.loads(line[6:])["position"])
                self.note(lambda: self.seen.append(Seen(position, "stream", 0)))  # noqa: B023 (called at once)

    def _end_stream(self) -> None:
        self.stream_ended_at = time.monotonic()

    def shown(self, how: str) -> int:
        """The highest position that was shown in this way."""
        return max((each.position for each in self.seen if each.how == how), default=0)


def positions_in(how: str, body: bytes) -> int:
    """Return the highest position of a message in an answer."""
    if how == "page":
        found = re.findall(rb'id="message-(\d+)"', body)
        return max(map(int, found), default=0)
    messages: list[dict[str, Any]] = json.loads(body)["messages"]
    return max((message["position"] for message in messages), default=0)
