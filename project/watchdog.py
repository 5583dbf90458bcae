"""A thread that notices when the event loop stands still, and logs where."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
import traceback

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
STILL_SECONDS = 1.5


class Watchdog:
    """While the loop stands still every stream does: nothing in it may block. Logged once for each time it does."""

    def __init__(self) -> None:
        self._stopping = threading.Event()

    def start(self) -> None:
        """Watch the running event loop, whose thread is the caller's."""
        self._stopping.clear()
        watched = (asyncio.get_running_loop(), threading.get_ident())
        threading.Thread(target=self._watch, args=watched, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()

    def _watch(self, loop: asyncio.AbstractEventLoop, thread: int) -> None:
        while not self._stopping.wait(LOOK_SECONDS) and not loop.is_closed():
            turned = threading.Event()
            asked_at = time.monotonic()
            loop.call_soon_threadsafe(turned.set)
            if turned.wait(STILL_SECONDS):
                continue
            frame = sys._current_frames().get(thread)
            stack = "".join(traceback.format_stack(frame)) if frame else "unknown"
            logger.error("The event loop stands still:\n%s", stack)
            while not turned.wait(LOOK_SECONDS) and not loop.is_closed():
                pass
            logger.error("The event loop stood still for %.1f s", time.monotonic() - asked_at)
