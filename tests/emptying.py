"""Empties the database between tests while a server goes on looking into it."""

from __future__ import annotations

import time

from django.db import OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper
from django.test import TransactionTestCase
from psycopg.errors import LockNotAvailable

SECONDS = 15.0
PAUSE_SECONDS = 0.02
# Of Django's own, the same in every test: without them it would have to be asked what they are after each.
KEPT = {"auth_permission", "django_content_type"}
FEW = (
    300  # rows of a table that are deleted sooner than it is truncated: which makes new files of it and all its indexes
)

OPEN = """
    SELECT application_name, state, query FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
"""


def install() -> None:
    # Django has no setting for it.
    setattr(TransactionTestCase, "_fixture_teardown", lambda case: empty())  # noqa: B010


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


def empty() -> None:
    """Take the rows out of the models' tables once nobody reads any.

    TRUNCATE takes its locks one after the other, and so would meet a join of the server's in a deadlock, of which
    either may be the victim. All the locks, or none, are taken here.
    """
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    tables = [connection.ops.quote_name(name) for name in names if name not in KEPT]
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"LOCK TABLE {', '.join(tables)} NOWAIT")
                _clear(cursor, tables)
            return
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable) or time.monotonic() > deadline:
                raise
            time.sleep(PAUSE_SECONDS)


def _clear(cursor: CursorWrapper, tables: list[str]) -> None:
    counts = " UNION ALL ".join(
        f"SELECT '{table}', count(*) FROM (SELECT FROM {table} LIMIT {FEW + 1}) AS found"  # noqa: S608 (our own tables)
        for table in tables
    )
    cursor.execute(counts)
    filled = {table: count for table, count in cursor.fetchall() if count}
    if max(filled.values(), default=0) > FEW:
        cursor.execute(f"TRUNCATE {', '.join(tables)}")
        return
    # What the triggers of ours would tell or refuse is no part of a test that is over.
    _run(cursor, filled, "ALTER TABLE {} DISABLE TRIGGER USER")
    _run(cursor, filled, "DELETE FROM {}")
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    _run(cursor, filled, "ALTER TABLE {} ENABLE TRIGGER USER")


def _run(cursor: CursorWrapper, tables: dict[str, int], statement: str) -> None:
    if tables:
        cursor.execute("; ".join(statement.format(table) for table in tables))
