"""A thread that starts the embedded PostgreSQL again when it has ended although Earshot goes on."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 15.0
STEADY_SECONDS = 10.0  # whoever stays up for so long is started again at once the next time


class RevivalError(Exception):
    """Why the server could not be started, as one sentence for the operator."""


class Keeper:
    """Looks whether the server is there, and has it started when it isn't.

    The first time at once, then after pauses that double: a server that dies as soon as it is up (its disk is full,
    say) costs next to nothing. `start` comes back when the server answers; it may find that somebody else started it.
    """

    def __init__(self, is_there: Callable[[], bool], start: Callable[[], None], leaving: threading.Event) -> None:
        self._is_there = is_there
        self._start = start
        self.leaving = leaving

    def keep(self) -> None:
        """Go on until `leaving` is set."""
        tries, tried_at = 0, -inf
        while not self.leaving.wait(LOOK_SECONDS):
            if self._is_there():
                continue
            if time.monotonic() - tried_at > STEADY_SECONDS:
                tries = 0
            if tries == 0:
                logger.error("PostgreSQL ended although nobody asked it to; starting it again.")
            if self.leaving.wait(pause_before(tries)):
                return
            tries += 1
            self._try(pause_before(tries))
            tried_at = time.monotonic()

    def _try(self, next_pause: float) -> None:
        began = time.monotonic()
        try:
            self._start()
        except RevivalError as error:
            if not self.leaving.is_set():
                logger.error("%s Earshot tries again in %.0f s.", error, next_pause)
        except Exception:
            logger.exception("PostgreSQL could not be started; Earshot tries again in %.0f s.", next_pause)
        else:
            logger.warning("PostgreSQL answers again, %.1f s after it was started.", time.monotonic() - began)


def pause_before(tries: int) -> float:
    """Return how long to wait before starting a server for which so many starts in a row have not helped."""
    return min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (tries - 1)) if tries else 0.0


@contextmanager
def kept(keeper: Keeper) -> Iterator[None]:
    """Have the keeper at work inside the block."""
    thread = threading.Thread(target=keeper.keep, name="postgres-keeper", daemon=True)
    thread.start()
    try:
        yield
    finally:
        keeper.leaving.set()
        thread.join()
