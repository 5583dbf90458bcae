from __future__ import annotations

import asyncio
import json
import threading
from typing import Any, cast

import pytest

from messaging.stream import RoomLogs
from project.realtime.hub import Hub
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


class Stream:
    shown: frozenset[int] = frozenset()

    def __init__(self) -> None:
        self.frames: list[bytes] = []

    def offer(self, frame: bytes) -> None:
        self.frames.append(frame)


@pytest.mark.django_db(transaction=True)
def test_what_is_read_while_the_unread_is_looked_up_is_not_told_as_unread() -> None:
    logs, stream = Logs(), Stream()
    hub = Hub(logs)

    async def scenario() -> None:
        hub.start()
        for chore in hub._chores:
            chore.cancel()
        hub._by_viewer[VIEWER].append(cast(Subscription, cast(Any, stream)))
        hub._unknown_viewers.add(VIEWER)
        telling = asyncio.create_task(hub._tell_unread())
        assert await asyncio.to_thread(logs.asked.wait, BOUND)
        hub._tell_read(VIEWER, KITCHEN, 9, 0)
        logs.may_answer.set()
        await telling
        await hub.stop()

    asyncio.run(scenario())
    assert logs.found == [], "it was looked up once more"
    assert [json.loads(frame.split(b"data: ")[1])["rooms"] for frame in stream.frames] == [[]]
