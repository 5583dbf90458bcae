"""The one thread, with one database connection, in which a process reads logs for its streams."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, connection, connections

P = ParamSpec("P")
R = TypeVar("R")

CLOSE_SECONDS = 1.0


class ReaderThread:
    """Whoever waits for what is new comes before whoever catches up on what is old.

    A process that ends does not wait for a thread that waits for the database.
    """

    def __init__(self) -> None:
        self._urgent: deque[Callable[[], None]] = deque()
        self._patient: deque[Callable[[], None]] = deque()
        self._turns: SimpleQueue[bool] = SimpleQueue()  # one for each function, then False for the end
        self._thread = threading.Thread(target=self._work, name="log-reader", daemon=True)
        self._thread.start()

    async def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a function in the thread; a connection found dead is replaced, and the function tried once more.

        Raises whatever the function raises, `django.db.DatabaseError` above all.
        """
        return await self._queued(self._urgent, partial(function, *args, **kwargs))

    async def run_patiently(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Do as `run` does once nothing else is left to do."""
        return await self._queued(self._patient, partial(function, *args, **kwargs))

    async def _queued(self, queue: deque[Callable[[], None]], function: Callable[[], R]) -> R:
        done: Future[R] = Future()
        queue.append(partial(_do, done, function))
        self._turns.put(True)
        return await asyncio.wrap_future(done)

    def close(self) -> None:
        """Have the thread end when all is done; wait for that a moment only, as it is done in an event loop."""
        self._turns.put(False)
        self._thread.join(CLOSE_SECONDS)

    def _work(self) -> None:
        leave_the_pool("earshot reader")
        try:
            while self._turns.get():
                (self._urgent or self._patient).popleft()()
        finally:
            connection.close()


def _do(done: Future[R], function: Callable[[], R]) -> None:
    if done.set_running_or_notify_cancel():  # nobody has stopped waiting for it
        try:
            done.set_result(_with_live_connection(function))
        except BaseException as error:  # noqa: BLE001 (raised where it is waited for)
            done.set_exception(error)


def leave_the_pool(name: str) -> None:
    """Give this thread a connection of its own: in the pool it would wait behind requests, and after an outage too."""
    shared = connections.settings["default"]
    options = {name: value for name, value in shared["OPTIONS"].items() if name != "pool"}
    options["application_name"] = name
    connections["default"] = type(connections["default"])({**shared, "OPTIONS": options}, "default")


def _with_live_connection(read: Callable[[], R]) -> R:
    try:
        return read()
    except (InterfaceError, OperationalError):
        connection.close()
    try:
        return read()
    except (InterfaceError, OperationalError):
        connection.close()
        raise


def why(error: Exception) -> str:
    """Return one line that says why the database did not do it; of no row, and no statement."""
    lines = str(error).splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}"


def connection_settings() -> dict[str, Any]:
    """Return psycopg's connection parameters for a connection of one's own, outside Django's pool."""
    parameters = dict(connection.get_connection_params())
    for of_django in ("cursor_factory", "context", "pool", "prepare_threshold"):
        parameters.pop(of_django, None)
    return {**parameters, "application_name": "earshot listener"}
