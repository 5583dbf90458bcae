"""The database that a command needs: the embedded one, or one's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from django.conf import settings
from django.db import connection, connections, transaction

from project import embedded
from project.env import ConfigurationError


@contextmanager
def at_hand(say: Callable[[str], None]) -> Iterator[None]:
    """Have the database answer inside the block: start the embedded one, or reach one's own once.

    Raises `EmbeddedPostgresError` or `ConfigurationError` with one sentence when there is none.
    """
    if settings.EMBEDDED_POSTGRES:
        with embedded.running(settings.DATA_DIR, say):
            yield
    else:
        _reach()
        yield


@contextmanager
def without_timeouts(database: str = "default") -> Iterator[None]:
    """A migration may take its time; the limits of this connection are meant for requests.

    `lock_timeout` stays: while it waits for a lock, everybody who comes later waits too.
    """
    with connections[database].cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SET idle_in_transaction_session_timeout = 0")
    yield
    with connections[database].cursor() as cursor:
        cursor.execute("RESET statement_timeout")
        cursor.execute("RESET idle_in_transaction_session_timeout")


@contextmanager
def unhurried() -> Iterator[None]:
    """A transaction for a chore that nobody waits for, and that may look at every row of a large table."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        yield


def _reach() -> None:
    # Outside the pool, which would keep trying and then not say why.
    parameters = connection.get_connection_params()
    try:
        psycopg.connect(**parameters).close()
    except psycopg.Error as error:
        where = f"{parameters.get('host', 'this machine')}:{parameters.get('port', 5432)}"
        lines = [line.rpartition("failed: ")[2] for line in str(error).splitlines() if "failed: " in line]
        reason = (lines or str(error).splitlines() or ["no reason given"])[0].strip()
        raise ConfigurationError(
            f"The database {parameters.get('dbname')!r} at {where} can't be reached ({reason}); check DATABASE_URL."
        ) from None
