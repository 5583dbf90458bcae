"""A crowd of real streams on the shipped server process."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterator

import psutil
import pytest
from django.conf import settings

from accounts.models import User
from rooms.models import Membership, Room
from tests.factories import UserFactory
from tests.messaging.race_stage import sign_in
from tests.server import ServerProcess

resource = pytest.importorskip("resource")

STREAMS = 1_200
STREAMS_EACH = 8
AT_ONCE = 32
MOST = 200  # returns in a second
OPENING_SECONDS = 60
_RETRY = re.compile(rb"retry: (\d+)\n")


@pytest.fixture
def many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def members(room: Room, number: int) -> list[str]:
    """Put so many people into a room, and return the cookie of each one's session."""
    people = User.objects.bulk_create(UserFactory.build_batch(number))
    Membership.objects.bulk_create(Membership(room=room, user=person) for person in people)
    return [f"{settings.SESSION_COOKIE_NAME}={session}" for session in sign_in(people).values()]


class Crowd:
    def __init__(self, server: ServerProcess, room: Room, cookies: list[str]) -> None:
        self._port = server.port
        self._requests = [
            f"GET /rooms/{room.slug}/stream/ HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n".encode()
            for cookie in cookies
        ]
        self._streams: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def open(self) -> list[int]:
        """Return the milliseconds that each stream is told to wait for when it opens."""
        turn = asyncio.Semaphore(AT_ONCE)
        async with asyncio.timeout(OPENING_SECONDS):
            return await asyncio.gather(*(self._open(request, turn) for request in self._requests))

    async def last_told(self) -> list[int]:
        """Return what each was told last of all, once the server has ended all streams."""
        async with asyncio.timeout(OPENING_SECONDS):
            return [await self._rest(*stream) for stream in self._streams]

    async def _open(self, request: bytes, turn: asyncio.Semaphore) -> int:
        async with turn:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            self._streams.append((reader, writer))
            writer.write(request)
            told = await reader.readuntil(b"\n\n")
        assert told.startswith(b"HTTP/1.1 200"), told
        found = _RETRY.search(told)
        assert found
        return int(found[1])

    async def _rest(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
        rest = await reader.read()
        writer.close()
        assert b"event: bye\n" in rest
        return int(_RETRY.findall(rest)[-1])


def busiest_second(told: list[int]) -> int:
    return max(Counter(wait // 1_000 for wait in told).values())


def test_crowd_whose_server_stops_does_not_come_back_all_at_once(
    server: ServerProcess, room: Room, many_files: None
) -> None:
    cookies = members(room, STREAMS // STREAMS_EACH) * STREAMS_EACH

    async def scenario() -> tuple[list[int], list[int]]:
        crowd = Crowd(server, room, cookies)
        at_first = await crowd.open()
        await asyncio.to_thread(server.restart)
        return at_first, await crowd.last_told()

    at_first, told = asyncio.run(scenario())
    assert (len(at_first), len(told)) == (STREAMS, STREAMS)
    assert max(at_first[:AT_ONCE]) <= 7_000, "the first are few, and need not wait"
    assert STREAMS / 5 > MOST, "were all of them to wait for as short a time, they would be too many"
    assert busiest_second(at_first) <= 1.25 * MOST, "they have not been pinged yet"
    assert busiest_second(told) <= MOST
    assert max(told) <= 30_000


def test_server_may_open_as_many_files_as_the_machine_allows(server: ServerProcess) -> None:
    assert server.process
    soft, hard = psutil.Process(server.process.pid).rlimit(psutil.RLIMIT_NOFILE)
    assert soft == min(hard, 65_536)
