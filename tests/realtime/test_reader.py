from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

import pytest

from project.realtime.reader import ReaderThread

BOUND = 5.0


class Work:
    """What the reader is asked for, in the order in which it was done."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.has_begun = threading.Event()
        self.may_end = threading.Event()

    def long(self) -> None:
        self.has_begun.set()
        assert self.may_end.wait(BOUND)
        self.done.append("long")

    def short(self, name: str) -> str:
        self.done.append(name)
        return name


def run(scenario: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(BOUND):
            await scenario

    asyncio.run(bounded())


def test_what_is_new_is_read_before_what_is_old() -> None:
    async def scenario() -> None:
        work, reader = Work(), ReaderThread()
        first = asyncio.create_task(reader.run_patiently(work.long))
        assert await asyncio.to_thread(work.has_begun.wait, BOUND)
        old = [asyncio.create_task(reader.run_patiently(work.short, f"old {number}")) for number in range(3)]
        await asyncio.sleep(0)
        new = asyncio.create_task(reader.run(work.short, "new"))
        await asyncio.sleep(0)
        work.may_end.set()
        assert await asyncio.gather(new, *old) == ["new", "old 0", "old 1", "old 2"]
        await first
        assert work.done == ["long", "new", "old 0", "old 1", "old 2"]
        reader.close()

    run(scenario())


def test_what_nobody_waits_for_any_more_is_not_read() -> None:
    async def scenario() -> None:
        work, reader = Work(), ReaderThread()
        first = asyncio.create_task(reader.run(work.long))
        assert await asyncio.to_thread(work.has_begun.wait, BOUND)
        given_up, kept = (asyncio.create_task(reader.run_patiently(work.short, name)) for name in ("given up", "kept"))
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.wait([given_up])
        await asyncio.sleep(0)  # the thread's side of it is told by a callback
        work.may_end.set()
        assert await kept == "kept"
        await first
        assert work.done == ["long", "kept"]
        reader.close()

    run(scenario())


def test_what_goes_wrong_is_told_to_whoever_waits() -> None:
    def broken() -> None:
        raise LookupError("no such log")

    async def scenario() -> None:
        reader = ReaderThread()
        with pytest.raises(LookupError, match="no such log"):
            await reader.run(broken)
        assert await reader.run(Work().short, "goes on") == "goes on"
        reader.close()

    run(scenario())
