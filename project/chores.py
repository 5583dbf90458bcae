"""What a server process does now and then besides answering."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import suppress

from django.db import connection

logger = logging.getLogger(__name__)


class Chore:
    """Does one thing in a thread, every so many seconds; several processes do it at different times."""

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
                await asyncio.to_thread(self._do)
            except Exception:
                logger.exception("A chore failed; it is tried again later")

    def _do(self) -> None:
        try:
            self._work()
        finally:
            connection.close()
