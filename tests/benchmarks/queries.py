"""Counting a server's queries from inside it, for the one measurement that asks for it: counting has a price."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

ASKED = "EARSHOT_COUNT_QUERIES"
_seen: list[None] = []  # appending is atomic where adding to a number is not


def counted() -> int:
    return len(_seen)


def count_if_asked() -> None:
    if os.environ.get(ASKED):
        connection_created.connect(_watch)


def _watch(connection: BaseDatabaseWrapper, **_rest: Any) -> None:
    # A thread's connection object is connected anew for every request that it takes one from the pool for.
    if _count not in connection.execute_wrappers:
        connection.execute_wrappers.append(_count)


def _count(execute: Callable[..., Any], statement: str, parameters: Any, many: bool, context: dict[str, Any]) -> Any:
    _seen.append(None)
    return execute(statement, parameters, many, context)
