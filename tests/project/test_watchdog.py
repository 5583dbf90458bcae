from __future__ import annotations

import asyncio
import logging
import threading
import time

import pytest

from project import watchdog
from project.watchdog import Watchdog


def test_loop_that_stands_still_is_logged_with_where(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(watchdog, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(watchdog, "STILL_SECONDS", 0.05)
    logged = threading.Event()
    caplog.handler.addFilter(lambda record: logged.set() or True)

    def stands_still() -> None:
        # Bounded: the log's line, which the other thread writes meanwhile, ends it.
        assert logged.wait(10)

    async def scenario() -> None:
        dog = Watchdog()
        dog.start()
        await asyncio.sleep(0)
        stands_still()
        deadline = time.monotonic() + 10
        while len(caplog.records) < 2 and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        dog.stop()

    with caplog.at_level(logging.ERROR, logger="project.watchdog"):
        asyncio.run(scenario())
    stack, length = [record.getMessage() for record in caplog.records]
    assert "in stands_still" in stack
    assert length.startswith("The event loop stood still for ")
