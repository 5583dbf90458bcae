from __future__ import annotations

import asyncio
import logging
import threading

import pytest

from project import watchdog
from project.watchdog import Watchdog


class Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.first, self.second = threading.Event(), threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())
        (self.second if self.first.is_set() else self.first).set()


def test_loop_that_stands_still_is_logged_with_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(watchdog, "STILL_SECONDS", 0.05)
    lines = Lines()
    watchdog.logger.addHandler(lines)

    def stands_still() -> None:
        # Bounded: the log's line, which the other thread writes meanwhile, ends it.
        assert lines.first.wait(10)

    async def scenario() -> None:
        dog = Watchdog()
        dog.start()
        await asyncio.sleep(0)
        stands_still()
        assert await asyncio.to_thread(lines.second.wait, 10)
        dog.stop()

    try:
        asyncio.run(scenario())
    finally:
        watchdog.logger.removeHandler(lines)
    stack, length = lines.said
    assert "in stands_still" in stack
    assert length.startswith("The event loop stood still for ")
