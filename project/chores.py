"""What a server process does now and then besides answering."""

from __future__ import annotations

import asyncio
import logging
import random
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress

from django.db import connection

logger = logging.getLogger(__name__)


class Chore:
    """Does one thing in a thread, every so many seconds; several processes do it at different times.

    A process that ends does not wait for it: its transaction is taken back, and done anew by another.
    """

    def __init__(self, work: Callable[[], object], every: float) -> None:
        self._work = work
        self._every = every
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._repeat())

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _repeat(self) -> None:
        while True:
            await asyncio.sleep(self._every * random.uniform(0.5, 1.5))  # noqa: S311
            try:
                await self._done()
            except Exception:
                logger.exception("A chore failed; it is tried again later")

    async def _done(self) -> None:
        # Not asyncio's own threads, nor an executor's: Python waits for those.
        outcome: Future[None] = Future()
        threading.Thread(target=self._do, args=(outcome,), name="chore", daemon=True).start()
        await asyncio.wrap_future(outcome)

    def _do(self, outcome: Future[None]) -> None:
        outcome.set_running_or_notify_cancel()
        try:
            self._work()
        except Exception as error:  # noqa: BLE001 (raised where it is waited for)
            outcome.set_exception(error)
        else:
            outcome.set_result(None)
        finally:
            connection.close()
