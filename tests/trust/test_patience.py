"""How long the shipped server waits for what does not come, and how much it takes of what does not end."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psutil
import pytest
from django.conf import settings
from django.db import connection

from accounts.models import User
from rooms.models import Room
from tests.conftest import client_of
from tests.factories import MessageFactory
from tests.server import ServerProcess
from tests.streams import EventStream

HEAD_SECONDS, BODY_SECONDS = 2, 4
LATE_SECONDS = 3  # on a busy machine
DRIP_SECONDS = 0.25
MEGABYTE = 1024 * 1024
OFFERED = 400 * MEGABYTE
TAKEN_MAX = 2 * MEGABYTE  # of which the server reads one, in the admin; the rest has only left for it
RISE_MAX = 10 * MEGABYTE
Record = Callable[[str, object], None]


@pytest.fixture(scope="module")
def hasty(django_db_setup: None, static_files: None) -> Iterator[ServerProcess]:
    """A server that waits as others do, but not as long."""
    deadlines: dict[str, Any] = {"HEAD_SECONDS": str(HEAD_SECONDS), "BODY_SECONDS": str(BODY_SECONDS)}
    with ServerProcess(database=connection.settings_dict, **deadlines) as server:
        yield server


def closed_after(server: ServerProcess, first: bytes, drip: bytes = b"") -> tuple[float, bytes]:
    """Say something, then drip, and return after how many seconds the server closes the connection, and its answer."""
    began, answer = time.monotonic(), b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=DRIP_SECONDS) as wire:
        wire.sendall(first)
        while time.monotonic() - began < BODY_SECONDS + LATE_SECONDS:
            try:
                said = wire.recv(4096)
                answer += said
                if not said:
                    return time.monotonic() - began, answer
            except TimeoutError:
                try:
                    wire.sendall(drip)
                except ConnectionError:
                    return time.monotonic() - began, answer
            except ConnectionError:
                return time.monotonic() - began, answer
    raise AssertionError("the connection is still open")


GET = b"GET /rooms/ HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
HEADS = {
    "says nothing": (b"", b""),
    "says half a line": (b"GET /rooms/ HT", b""),
    "drips a head": (GET + b"X: ", b"a"),
    "drips headers": (GET, b"X: a\r\n"),
}
SECOND_HEAD = (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" + GET + b"X: ", b"a")
STYLES = b"/static/admin/css/base.css"  # answered before the request's body is read
AFTERWARDS = {
    "drips empty lines after an answer": (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\r\n"),
    "drips the body of a request that was answered": (
        b"GET %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n" % STYLES,
        b"a",
    ),
}
FILE = (
    b"POST /accounts/picture/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
    b"Cookie: %s=x\r\n" % settings.SESSION_COOKIE_NAME.encode()
)
BODIES = {
    "says no body": (POST + b"Content-Length: 100\r\n\r\n", b""),
    "drips a body": (POST + b"Content-Length: 100000\r\n\r\n", b"a"),
    "drips a file": (FILE + b"Content-Length: 1000000\r\n\r\n", b"a"),
    "drips chunks": (POST + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
}


def test_what_does_not_come_is_not_waited_for(
    hasty: ServerProcess, transactional_db: None, room: Room, owner: User
) -> None:
    """A stream, whose head has come, is open meanwhile, and shows what is said after that time."""
    slow = {**HEADS, "drips a second head": SECOND_HEAD, **AFTERWARDS, **BODIES}
    with EventStream(hasty, client_of(owner), f"/rooms/{room.slug}/stream/") as stream:
        with ThreadPoolExecutor(len(slow)) as pool:
            found = dict(zip(slow, pool.map(lambda said: closed_after(hasty, *said), slow.values()), strict=True))
        MessageFactory.create(room=room, author=owner, text="still here")
        assert stream.next().event == "message_created"
    for names, seconds in ((HEADS, HEAD_SECONDS), (BODIES, BODY_SECONDS)):
        for name in names:
            assert seconds - 0.5 < found[name][0] < seconds + LATE_SECONDS, (
                name
            )  # nor at once: a slow network is no attack
    for name in ("drips a second head", *AFTERWARDS):
        assert found[name][0] < HEAD_SECONDS + LATE_SECONDS, name
    assert {found[name][1].split(b" ")[1] for name in AFTERWARDS} == {b"200"}
    assert {found[name][1].split(b" ")[1] for name in BODIES} == {b"408"}
    hasty.assert_healthy()


def test_others_are_waited_for_as_the_settings_say() -> None:
    assert (settings.HEAD_SECONDS, settings.BODY_SECONDS) == (10, 30)


PATHS = (
    b"/",
    b"/rooms/",
    b"/healthz",
    b"/accounts/login/",
    b"/rooms/x/messages/",
    b"/rooms/x/files/",
    b"/admin/",
    STYLES,
)
OFFERS = {
    "an honest length": b"Content-Length: %d\r\n\r\n" % OFFERED,
    "a short length": b"Content-Length: 10\r\n\r\n",
    "chunks": b"Transfer-Encoding: chunked\r\n\r\n",
    "trailers": b"Transfer-Encoding: chunked\r\n\r\n0\r\n",
    "one trailer": b"Transfer-Encoding: chunked\r\n\r\n0\r\na: ",
}
PIECES = {"chunks": b"1000\r\n" + b"a" * 4096 + b"\r\n", "trailers": b"a: b\r\n" * 700}


def taken(server: ServerProcess, path: bytes, kind: str) -> int:
    """Offer so much to a server, and return how much of it went out before the connection was closed.

    What the system keeps between the two is a part of it: that is made small.
    """
    piece = PIECES.get(kind, b"a" * 4096)
    sent = 0
    with socket.socket() as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16 * 1024)
        wire.settimeout(BODY_SECONDS + LATE_SECONDS)
        wire.connect(("127.0.0.1", server.port))
        wire.sendall(b"POST %s HTTP/1.1\r\nHost: localhost\r\n%s" % (path, OFFERS[kind]))
        try:
            while sent < OFFERED:
                sent += wire.send(piece)
        except ConnectionError:
            pass
    return sent


def test_who_offers_without_end_is_cut_off(hasty: ServerProcess, record_property: Record) -> None:
    """400 MB, to every kind of address, of people who are not signed in."""
    assert hasty.process
    process = psutil.Process(hasty.process.pid)
    taken(hasty, b"/", "chunks")  # what is loaded once is not counted
    before = process.memory_info().rss
    most = {(path, name): taken(hasty, path, name) for path in PATHS for name in OFFERS}
    rise = process.memory_info().rss - before
    record_property("endless_taken_kb", max(most.values()) // 1024)
    record_property("endless_memory_mb", round(max(rise, 0) / MEGABYTE, 1))
    assert {name: much for name, much in most.items() if much > TAKEN_MAX} == {}
    assert rise < RISE_MAX
    hasty.assert_healthy()


def test_form_as_large_as_the_admin_takes_is_taken_on_a_new_site(hasty: ServerProcess) -> None:
    """Where nobody has sent a file yet, it has no folder but what the server made."""
    body = b"a" * (settings.BODY_MAX_BYTES_ADMIN - MEGABYTE // 8)
    wire = http.client.HTTPConnection("127.0.0.1", hasty.port, timeout=BODY_SECONDS + LATE_SECONDS)
    wire.request("POST", "/admin/", body, {"Content-Type": "text/plain"})
    status = wire.getresponse().status
    wire.close()
    assert status == 403  # it has no token


def test_who_can_not_be_written_down_is_not_read_to_the_end(transactional_db: None, static_files: None) -> None:
    """A disk that takes no more: 503, and the end of the connection."""
    nowhere = "/proc/earshot"
    with ServerProcess(database=connection.settings_dict, workers=1, UPLOADS=nowhere) as server:
        assert taken(server, b"/admin/", "chunks") < TAKEN_MAX
