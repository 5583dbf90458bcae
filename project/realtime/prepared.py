"""Hand-written statements that PostgreSQL plans once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper


def fetch(statement: str, parameters: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run a statement that stays prepared on its connection, and return its rows.

    Django puts the values into the statement, so that PostgreSQL plans it anew every time: with the joins of a room's
    log that took ten times as long as running it. Here the values travel beside it, and the plan is made without
    knowing them (`plan_cache_mode` in the settings): it has to be right for all of them, as a look at an index is.
    PostgreSQL does not guess the types of values that stand in a SELECT list: those need a cast.

    Raises `django.db.Error`, is counted and logged, and belongs to the transaction, like all of Django's.
    """
    connection.ensure_connection()
    # Django's log of queries shows what its own cursors sent.
    is_logged = connection.queries_logged
    with (
        connection.cursor() if is_logged else CursorWrapper(psycopg.Cursor(connection.connection), connection) as cursor
    ):
        cursor.execute(statement, parameters)
        # Not `cursor.description`: that makes an object of every column.
        return cursor.fetchall() if cursor.cursor.pgresult.nfields else []
