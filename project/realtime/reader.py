"""The one thread, with one database connection, in which a process reads logs for its streams."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, connection, connections

P = ParamSpec("P")
R = TypeVar("R")


class ReaderThread:
    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="log-reader", initializer=_leave_the_pool)

    async def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a function in the thread; a connection found dead is replaced, and the function tried once more.

        Raises whatever the function raises, `django.db.DatabaseError` above all.
        """
        return await asyncio.get_running_loop().run_in_executor(
            self._executor, lambda: _with_live_connection(lambda: function(*args, **kwargs))
        )

    def close(self) -> None:
        self._executor.submit(connection.close)
        self._executor.shutdown(wait=True, cancel_futures=False)


def _leave_the_pool() -> None:
    """Give this thread a connection of its own: in the pool it would wait behind requests, and after an outage too."""
    shared = connections.settings["default"]
    options = {name: value for name, value in shared["OPTIONS"].items() if name != "pool"}
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


def connection_settings() -> dict[str, Any]:
    """Return psycopg's connection parameters for a connection of one's own, outside Django's pool."""
    parameters = dict(connection.get_connection_params())
    for of_django in ("cursor_factory", "context", "pool", "prepare_threshold"):
        parameters.pop(of_django, None)
    return {**parameters, "application_name": "earshot listener"}
