"""`manage.py migrate` for a site that is being used: it waits in line for no longer than people do."""

from __future__ import annotations

import random
import time
from typing import Any

import psycopg
from django.core.management.base import CommandError
from django.core.management.commands.migrate import Command as DjangosMigrate
from django.db import DatabaseError, connections
from psycopg import sql

from project.database import without_timeouts

PATIENCE_SECONDS = 300.0
PAUSE_SECONDS = (1.0, 3.0)  # in which those who waited behind it get their turn
BUSY = "The database is too busy to be changed: something has held a table for %d s. Try again when it has ended."

_INVALID = """
SELECT nspname, relname
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE NOT indisvalid
"""


class Command(DjangosMigrate):
    """A statement that changes a table asks for a lock, and whoever comes later waits behind it.

    The connection's `lock_timeout` ends that wait (PostgreSQL's manual, "Client Connection Defaults"); then everybody
    else goes on for a moment, and the migration is tried again. What was migrated before it stays.
    """

    def handle(self, *args: Any, **options: Any) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        database = options["database"]
        with without_timeouts(database):
            invalid_before = _invalid_indexes(database)
            while True:
                try:
                    _drop(_invalid_indexes(database) - invalid_before, database)
                    super().handle(*args, **options)
                except DatabaseError as error:
                    if not isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
                        raise
                    if time.monotonic() > deadline:
                        raise CommandError(BUSY % PATIENCE_SECONDS) from error
                else:
                    return
                self.stderr.write("\nA table is in use; trying again in a moment …", style_func=str)
                time.sleep(random.uniform(*PAUSE_SECONDS))  # noqa: S311 (spreads load, guards nothing)


def _invalid_indexes(database: str) -> set[tuple[str, str]]:
    """Return the indexes that can't be used, each as its schema and its name."""
    with connections[database].cursor() as cursor:
        cursor.execute(_INVALID)
        return set(cursor.fetchall())


def _drop(indexes: set[tuple[str, str]], database: str) -> None:
    """Drop what a CREATE INDEX CONCURRENTLY that was broken off has left: it is never used and stands in the way."""
    with connections[database].cursor() as cursor:
        for name in indexes:
            cursor.execute(sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(sql.Identifier(*name)))
