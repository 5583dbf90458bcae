from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from django.db import OperationalError

from messaging.stream import RoomLogs
from project.realtime.elsewhere import Elsewhere
from project.realtime.reader import ReaderThread
from project.realtime.subscription import Subscription
from project.realtime.unread import Reading

BOUND = 10.0
VIEWER, KITCHEN = 5, 1


class Logs(RoomLogs):
    """Looks up what is unread before the viewer has read it, is late with the answer, and then looks again."""

    def __init__(self) -> None:
        self.asked, self.may_answer = threading.Event(), threading.Event()
        self.found = [Reading({KITCHEN: "kitchen"}, frozenset({KITCHEN})), Reading({KITCHEN: "kitchen"}, frozenset())]

    def readings(self, viewers: list[int]) -> dict[int, Reading]:
        self.asked.set()
        assert self.may_answer.wait(BOUND)
        return dict.fromkeys(viewers, self.found.pop(0))


class BrokenOnce(RoomLogs):
    def __init__(self) -> None:
        self.is_broken = True

    def readings(self, viewers: list[int]) -> dict[int, Reading]:
        if self.is_broken:
            raise OperationalError
        return dict.fromkeys(viewers, Reading({KITCHEN: "kitchen"}, frozenset()))


class Stream:
    shown: frozenset[int] = frozenset()

    def __init__(self) -> None:
        self.frames: list[bytes] = []

    def offer(self, frame: bytes) -> None:
        self.frames.append(frame)

    @property
    def told(self) -> list[list[str]]:
        return [json.loads(frame.split(b"data: ")[1])["rooms"] for frame in self.frames]


@asynccontextmanager
async def elsewhere(logs: RoomLogs, stream: Stream) -> AsyncIterator[Elsewhere]:
    """What is told one stream, of a viewer of whom nothing is known yet."""
    reader, streams = ReaderThread(), [cast(Subscription, cast(Any, stream))]
    told = Elsewhere(logs, reader, lambda viewer: streams if viewer == VIEWER else [])
    told.look_up(VIEWER)
    try:
        yield told
    finally:
        reader.close()


def test_what_is_read_while_the_unread_is_looked_up_is_not_told_as_unread() -> None:
    logs, stream = Logs(), Stream()

    async def scenario() -> None:
        async with elsewhere(logs, stream) as told:
            telling = asyncio.create_task(told.tell())
            assert await asyncio.to_thread(logs.asked.wait, BOUND)
            told.hear(f"read {VIEWER} {KITCHEN} 9 0")
            logs.may_answer.set()
            # It is over although the viewer went on reading: who reads all the time would hold up all others.
            await telling
            assert stream.told == []
            await told.tell()

    asyncio.run(scenario())
    assert logs.found == [], "it was looked up once more"
    assert stream.told == [[]]


def test_whoever_could_not_be_looked_up_is_looked_up_again() -> None:
    logs, stream = BrokenOnce(), Stream()

    async def scenario() -> None:
        async with elsewhere(logs, stream) as told:
            with pytest.raises(OperationalError):
                await told.tell()
            assert stream.told == []
            logs.is_broken = False
            await told.tell()

    asyncio.run(scenario())
    assert stream.told == [[]]
