"""Bodies of files leave time for everything else, and each is whole in its turn."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest
from django.conf import settings

from project.pace import Pace
from project.realtime.wire import Receive, Send
from project.request_limits import BodyLimit

PIECE = 1_000
RATE = 200_000.0  # bytes a second: a piece takes 5 ms
WAIT_SECONDS = 10


def pieces(number: int, asked: list[int] | None = None) -> Receive:
    """Return what receives a body of so many pieces, as fast as it is asked for them."""
    left = number

    async def receive() -> Mapping[str, Any]:
        nonlocal left
        left -= 1
        if asked is not None:
            asked.append(left)
        return {"type": "http.request", "body": b"a" * PIECE, "more_body": left > 0}

    return receive


async def read(receive: Receive) -> int:
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message["body"])
        more = message["more_body"]
    return size


def test_the_one_with_least_to_come_is_whole_first() -> None:
    """Also where it came last; and of equal ones, one after the other."""
    whole: list[str] = []

    async def body(name: str, number: int, *, is_announced: bool = True) -> None:
        assert await read(pace.paced(pieces(number), number * PIECE if is_announced else 0)) == number * PIECE
        whole.append(name)

    async def scenario() -> None:
        async with asyncio.timeout(WAIT_SECONDS):
            large = [asyncio.create_task(body("large", 40)) for _ in range(3)]
            unknown = asyncio.create_task(body("of unknown length", 5, is_announced=False))
            for _ in range(10):
                await asyncio.sleep(0)
            await body("small", 3)
            assert whole == ["small"]
            await asyncio.wait(large, return_when=asyncio.FIRST_COMPLETED)
            assert sum(each.done() for each in large) == 1
            await asyncio.gather(*large, unknown)

    pace = Pace(RATE)
    asyncio.run(scenario())
    assert whole == ["small", "large", "large", "large", "of unknown length"]


def test_a_body_that_waits_is_read_no_further() -> None:
    async def scenario() -> None:
        asked: list[int] = []
        pace = Pace(bytes_per_second=1)
        first = asyncio.create_task(read(pace.paced(pieces(3), 3 * PIECE)))
        second = asyncio.create_task(read(pace.paced(pieces(100, asked), 100 * PIECE)))
        for _ in range(100):
            await asyncio.sleep(0)
        assert len(asked) == 1
        first.cancel()
        second.cancel()

    asyncio.run(scenario())


def test_those_who_have_gone_keep_nobody_waiting() -> None:
    async def scenario() -> None:
        pace = Pace(RATE)
        gone = [asyncio.create_task(read(pace.paced(pieces(5), 5 * PIECE))) for _ in range(50)]
        await asyncio.sleep(0)
        last = asyncio.create_task(read(pace.paced(pieces(50), 50 * PIECE)))
        await asyncio.sleep(0)
        for each in gone:
            each.cancel()
        with suppress(asyncio.CancelledError):
            await gone[0]
        async with asyncio.timeout(WAIT_SECONDS):
            assert await last == 50 * PIECE

    asyncio.run(scenario())


def test_waiting_for_a_turn_is_not_the_clients_slowness(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that waits longer than a client may take is read to its end; one whose client is silent is not."""
    monkeypatch.setattr(settings, "BODY_SECONDS", 0.2)
    monkeypatch.setattr(settings, "BODIES_OF_FILES_BYTES_PER_SECOND", 4 * PIECE)  # a piece takes longer than that
    cookie = f"{settings.SESSION_COOKIE_NAME}=x".encode()
    headers = [(b"cookie", cookie), (b"content-length", str(4 * PIECE).encode())]
    scope = {"type": "http", "method": "POST", "path": "/accounts/picture/", "headers": headers}
    sizes, statuses = [], []

    async def application(_scope: Mapping[str, Any], receive: Receive, _send: Send) -> None:
        sizes.append(await read(receive))

    async def send(message: Mapping[str, Any]) -> None:
        statuses.extend([message["status"]] if "status" in message else [])

    async def silent() -> Mapping[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    async def scenario() -> None:
        limited = BodyLimit(application)
        async with asyncio.timeout(WAIT_SECONDS):
            await asyncio.gather(limited(scope, pieces(4), send), limited(scope, silent, send))

    asyncio.run(scenario())
    assert (sizes, statuses) == ([4 * PIECE], [408])
