"""What the hub goes on with while the database hangs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from messaging.stream import RoomLogs
from project.realtime import hub
from project.realtime.feed import Entry
from project.realtime.hub import Hub
from project.realtime.subscription import Admission, Ticket
from project.realtime.unread import Reading

BOUND = 10.0


class Hanging(RoomLogs):
    """An empty log, of a database that hangs when it is asked what a viewer reads."""

    def __init__(self) -> None:
        self.asked, self.may_answer = threading.Event(), threading.Event()

    def read_after(self, key: int, position: int, limit: int, *, rows: bool) -> list[Entry]:
        return []

    def heads(self, keys: list[int]) -> dict[int, int]:
        return dict.fromkeys(keys, 0)

    def revoked(self, tickets: list[Ticket]) -> set[Ticket]:
        return set()

    def readings(self, viewers: list[int]) -> dict[int, Reading]:
        self.asked.set()
        assert self.may_answer.wait(BOUND)
        return {}


@pytest.mark.django_db(transaction=True)
def test_streams_are_pinged_while_the_database_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "TICK_SECONDS", 0.01)
    logs, frames = Hanging(), asyncio.Queue[Mapping[str, Any]]()
    ticket = Ticket(1, "room_x", "x", 5, "session", 0, 0)

    async def receive() -> Mapping[str, Any]:
        return await asyncio.Future()

    async def scenario() -> None:
        streams = Hub(logs)
        streams.start()
        serving = asyncio.create_task(streams.serve(Admission((ticket,)), receive, frames.put))
        try:
            async with asyncio.timeout(BOUND):
                assert await asyncio.to_thread(logs.asked.wait, BOUND)
                for _ in range(3):
                    while b"ping" not in (await frames.get())["body"]:
                        pass
        finally:
            logs.may_answer.set()
            serving.cancel()
            await asyncio.wait([serving])
            await streams.stop()

    asyncio.run(scenario())
