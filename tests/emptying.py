"""Empties the database between tests while a server goes on looking into it."""

from __future__ import annotations

import time
from collections.abc import Iterable

from django.db import OperationalError, connection, transaction
from django.db.backends.postgresql.operations import DatabaseOperations
from psycopg.errors import LockNotAvailable

SECONDS = 15.0
PAUSE_SECONDS = 0.02

OPEN = """
    SELECT application_name, state, query FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
"""


def install() -> None:
    # Django has no setting for it.
    DatabaseOperations.execute_sql_flush = _flush  # type: ignore[assignment,method-assign]


def open_transactions() -> list[str]:
    """Say what others are doing in the database just now."""
    with connection.cursor() as cursor:
        cursor.execute(OPEN)
        return [" · ".join(map(str, row)) for row in cursor.fetchall()]


def wait_until_idle() -> None:
    """Wait until nobody else has a transaction open; raise TimeoutError, which says what still is."""
    deadline = time.monotonic() + SECONDS
    while found := open_transactions():
        if time.monotonic() > deadline:
            raise TimeoutError(f"still open after {SECONDS:.0f} s: {found}")
        time.sleep(PAUSE_SECONDS)


def _flush(operations: DatabaseOperations, sql_list: Iterable[str]) -> None:
    """Execute the statements once nobody reads a table.

    TRUNCATE takes its locks one after the other, and so would meet a join of the server's in a deadlock, of which
    either may be the victim. All the locks, or none, are taken here.
    """
    tables = ", ".join(map(connection.ops.quote_name, connection.introspection.table_names()))
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"LOCK TABLE {tables} NOWAIT")
                for sql in sql_list:
                    cursor.execute(sql)
            return
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable) or time.monotonic() > deadline:
                raise
            time.sleep(PAUSE_SECONDS)
