"""The shipped server against clients that send too much, or nonsense. After each of them it serves the next one."""

from __future__ import annotations

import asyncio
import http.client
import re
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import psutil
import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User
from messaging.models import Message
from project.realtime.wire import Receive, Send
from project.request_limits import BodyLimit
from rooms.models import Room
from tests.cast import nothing_happens
from tests.conftest import client_of
from tests.server import ServerProcess
from tests.streams import cookie_header

WAIT_SECONDS = 10
SILENT_SECONDS = 2  # a server that has said nothing by then waits for more
LIMIT = settings.BODY_MAX_BYTES
HEAD = b"POST /rooms/x/messages/ HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n"


def raw(server: ServerProcess, *pieces: bytes) -> bytes:
    """Send the pieces as far as the server takes them, and return what it answers before it closes or waits."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_SECONDS) as connection:
        answer = b""
        with suppress(ConnectionError):
            for piece in pieces:
                connection.sendall(piece)
        with suppress(ConnectionError, TimeoutError):
            connection.settimeout(SILENT_SECONDS)
            while not is_whole(answer) and (chunk := connection.recv(65_536)):
                answer += chunk
        return answer


def is_whole(answer: bytes) -> bool:
    head, ended, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head.lower())
    return bool(ended) and len(body) >= (int(length[1]) if length else 0)


def status(answer: bytes) -> int | None:
    """Return the answer's status, or None for a connection that was closed without one."""
    found = re.match(rb"HTTP/1\.1 (\d{3}) ", answer)
    return int(found[1]) if found else None


def assert_serves(server: ServerProcess) -> None:
    server.assert_healthy()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=WAIT_SECONDS)
    connection.request("GET", "/readyz")
    assert connection.getresponse().status == 200
    connection.close()


def chunked(*chunks: bytes) -> list[bytes]:
    return [b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks] + [b"0\r\n\r\n"]


def test_body_is_refused_by_its_announced_length_before_it_is_sent(server: ServerProcess) -> None:
    form = b"Content-Type: application/x-www-form-urlencoded\r\n"
    small = raw(server, HEAD + form + b"Content-Length: 6\r\n\r\ntext=a")
    assert status(small) != 413
    large = raw(server, HEAD + form + b"Content-Length: %d\r\n\r\ntext=a" % (LIMIT + 1))
    assert status(large) == 413
    assert b'{"errors": {"__all__": ["This is too much to send at once."]}}' in large
    assert b"connection: close" in large.lower()
    assert_serves(server)


@pytest.mark.parametrize("path", [b"/", b"/rooms/", b"/healthz", b"/setup/x/", b"/accounts/login/", b"/nothing/"])
def test_large_body_is_refused_on_every_route(server: ServerProcess, path: bytes) -> None:
    head = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 400000000\r\n\r\n" % path
    assert status(raw(server, head)) == 413
    assert_serves(server)


def test_body_is_refused_by_the_bytes_that_come(server: ServerProcess, room: Room, owner: User) -> None:
    cookie = f"Cookie: {cookie_header(client_of(owner))}\r\n".encode()
    head = HEAD.replace(b"/x/", f"/{room.slug}/".encode()) + cookie + b"Transfer-Encoding: chunked\r\n\r\n"
    just_enough = raw(server, head, *chunked(*[b"a" * 1_024] * (LIMIT // 1_024)))
    with nothing_happens():
        too_much = raw(server, head, *chunked(*[b"a" * 1_024] * (LIMIT // 1_024 + 1)))
    assert status(just_enough) not in {None, 413}
    assert status(too_much) in {413, None}
    assert_serves(server)


def test_endless_body_does_not_fill_the_memory(server: ServerProcess) -> None:
    assert server.process
    process = psutil.Process(server.process.pid)
    raw(server, HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *chunked(*[b"a" * 60_000] * 20))
    before = process.memory_info().rss
    answer = raw(server, HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *chunked(*[b"a" * 1_000_000] * 100))
    assert status(answer) in {413, None}
    assert process.memory_info().rss - before < 10_000_000
    assert_serves(server)


def test_as_many_files_are_taken_at_once_as_there_are_places_for() -> None:
    """Those that come together too, and however many were refused before."""
    places = settings.BODIES_OF_FILES_MAX
    cookie = f"{settings.SESSION_COOKIE_NAME}=x".encode()
    scope = {"type": "http", "method": "POST", "path": "/accounts/picture/", "headers": [(b"cookie", cookie)]}
    inside, may_end, statuses = asyncio.Semaphore(0), asyncio.Event(), []

    async def application(_scope: Mapping[str, Any], _receive: Receive, send: Send) -> None:
        inside.release()
        await may_end.wait()
        await send({"type": "http.response.start", "status": 200})

    async def send(message: Mapping[str, Any]) -> None:
        statuses.extend([message["status"]] if "status" in message else [])

    async def receive() -> Mapping[str, Any]:
        raise AssertionError("nobody asks for the body")

    async def scenario() -> None:
        limited = BodyLimit(application)

        async def come(requests: int) -> None:
            await asyncio.gather(*(limited(scope, receive, send) for _ in range(requests)))

        async with asyncio.timeout(WAIT_SECONDS):
            first = asyncio.create_task(come(places + 5))
            for _ in range(places):
                await inside.acquire()
            await come(5)
            assert (inside.locked(), statuses) == (True, [503] * 10)
            may_end.set()
            await first
            await come(places)
        assert statuses[10:] == [200] * places * 2

    asyncio.run(scenario())


def test_longest_message_fits_in_every_script(server: ServerProcess, room: Room, owner: User) -> None:
    client = client_of(owner)
    token = re.search('name="csrf-token" content="([^"]+)"', client.get(f"/rooms/{room.slug}/").content.decode())
    assert token
    text = "😀" * settings.MESSAGE_MAX_CHARACTERS
    parts = {"text": text, "client_id": "00000000-0000-4000-8000-000000000001"}
    body = "".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in parts.items()
    )
    assert post_over_the_wire(server, client, room, (body + "--x--\r\n").encode(), token[1]) == 201
    assert Message.objects.get().text == text


def post_over_the_wire(server: ServerProcess, client: Client, room: Room, body: bytes, token: str) -> int:
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    headers = {"Cookie": cookies, "X-CSRFToken": token, "Accept": "application/json"}
    headers["Content-Type"] = "multipart/form-data; boundary=x"
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=WAIT_SECONDS)
    connection.request("POST", f"/rooms/{room.slug}/messages/", body, headers)
    found = connection.getresponse().status
    connection.close()
    return found


GET = b"GET /rooms/ HTTP/1.1\r\nHost: localhost\r\n"
NONSENSE = {
    "two lengths": HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "length and chunks": HEAD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "negative length": HEAD + b"Content-Length: -1\r\n\r\n",
    "length of no number": HEAD + b"Content-Length: 1e3\r\n\r\n",
    "huge length": HEAD + b"Content-Length: " + b"9" * 400 + b"\r\n\r\n",
    "bad chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n",
    "negative chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n-1\r\nab\r\n0\r\n\r\n",
    "endless chunk size": HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 400 + b"\r\n",
    "no protocol": b"GET\r\n\r\n",
    "other protocol": b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
    "binary": bytes(range(256)) * 4 + b"\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
    "NUL in a header": GET + b"Cookie: a=\x00\r\n\r\n",
    "line feed in a name": GET + b"A\nb: c\r\n\r\n",
    "space in a name": GET + b"A b: c\r\n\r\n",
    "vertical tab": GET + b"Accept: \x0b\r\n\r\n",
}


@pytest.mark.parametrize("request_bytes", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_refused(server: ServerProcess, request_bytes: bytes) -> None:
    found = status(raw(server, request_bytes))
    assert found is None or 400 <= found < 500
    assert_serves(server)


EXCESS = {
    "600 headers": GET + b"".join(b"X-%d: a\r\n" % number for number in range(600)) + b"\r\n",
    "20 KB header": GET + b"X: " + b"a" * 20_000 + b"\r\n\r\n",
    "20 KB header that does not end": GET + b"X: " + b"a" * 20_000,
    "endless headers": GET + b"X: a\r\n" * 100_000,
    "20 KB URL": b"GET /rooms/?" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
}


def test_head_within_the_limits_is_accepted(server: ServerProcess) -> None:
    headers = b"".join(b"X-%d: a\r\n" % number for number in range(settings.HEADERS_MAX - 2))
    padding = b"X: " + b"a" * (settings.HEAD_MAX_BYTES - len(GET + headers)) + b"\r\n"
    assert status(raw(server, GET + headers + padding + b"\r\n")) == 302


@pytest.mark.parametrize("request_bytes", EXCESS.values(), ids=EXCESS)
def test_excess_is_refused(server: ServerProcess, request_bytes: bytes) -> None:
    found = status(raw(server, request_bytes))
    assert found is None or 400 <= found < 500
    assert_serves(server)


@pytest.mark.parametrize(
    "request_bytes",
    [
        GET + b"Accept: text/html\r\n" * 500 + b"\r\n",
        GET + b"Cookie: " + b"a=b; " * 3_000 + b"\r\n\r\n",
        b"GET /rooms/%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /%ff%fe HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /static/../manage.py HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /static/%2e%2e/secret_key HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET //x.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET http://x.example/rooms/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"TRACE /rooms/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"CONNECT x.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    ],
    ids=lambda request_bytes: request_bytes[:30].decode().replace("\r\n", " "),
)
def test_oddity_breaks_nothing(server: ServerProcess, request_bytes: bytes) -> None:
    answer = raw(server, request_bytes)
    assert status(answer) in {None, 200, 302, 400, 401, 404, 405, 413, 414, 431}
    assert b"Location: http" not in answer
    assert b"SECRET" not in answer
    assert_serves(server)


def test_server_logs_no_fault_of_its_own_for_what_clients_send(server: ServerProcess) -> None:
    for request_bytes in (*NONSENSE.values(), *EXCESS.values()):
        raw(server, request_bytes)
    assert_serves(server)
    assert [line for line in server.log().splitlines() if "Internal Server Error" in line or "ASGI" in line] == []
