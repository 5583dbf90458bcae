"""`manage.py serve`: Earshot for its users, on Uvicorn."""

import errno
import socket
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

from project import server
from project.database import at_hand
from rooms.setup import owner_link_path

BACKLOG = 2048
VANISHED_MILLISECONDS = 20_000
OWN_CONNECTIONS = 2  # of a process, beside its pool: one that listens, one that reads logs
DISK_FULL = "The disk is full: free some space, then start again."


class Command(BaseCommand):
    help = "Serve Earshot until Ctrl-C or SIGTERM."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address or name to listen on (127.0.0.1)")
        parser.add_argument("--port", default=8000, type=port_number, help="port to listen on (8000)")
        parser.add_argument("--workers", default=1, type=worker_count, help="number of server processes (1)")
        parser.add_argument("--prepare", action="store_true", help="first migrate and collect the static files")

    def handle(self, *, host: str, port: int, workers: int, prepare: bool, **_options: Any) -> None:
        with bound(host, port) as listener, at_hand(self.say):
            with refused_politely():
                if prepare:
                    self.prepare()
                elif pending := pending_migrations():
                    raise SystemExit(
                        f"The database lacks {counted(pending)}: run `manage.py migrate` or add --prepare."
                    )
                lines = self.announcement(address(host, listener), workers)
            connection.close()
            cast("DatabaseWrapper", connection).close_pool()  # the server's processes make their own
            if not server.serve(listener, workers, lambda: self.say(*lines)):
                raise SystemExit("Earshot could not be started; the lines above say why.")
        self.say("Earshot has stopped.")

    def prepare(self) -> None:
        if pending := pending_migrations():
            self.say(f"Preparing the database ({counted(pending)}) …")
        call_command("migrate", interactive=False, verbosity=0)
        self.say("Collecting the static files …")
        call_command("collectstatic", interactive=False, verbosity=0)

    def announcement(self, url: str, workers: int) -> list[str]:
        lines = [f"Earshot is ready at {url}/"]
        if path := owner_link_path():
            lines.append(f"Become its owner, once, at {settings.SITE_URL or url}{path}")
        if settings.EMAIL_BACKEND.endswith("filebased.EmailBackend"):
            lines.append(f"No mail server is configured: mail is written to {settings.EMAIL_FILE_PATH}")
        if refused := short_of_connections(workers):
            lines.append(refused)
        return [*lines, "Ctrl-C stops it."]

    def say(self, *lines: str) -> None:
        for line in lines:
            self.stdout.write(line)
        self.stdout.flush()


def port_number(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise SystemExit(f"{text!r} is not a port; a port is a number from 1 to 65535.")
    return int(text)


def worker_count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 64:
        raise SystemExit(f"{text!r} is not a number of workers; give one from 1 to 64.")
    return int(text)


def bound(host: str, port: int) -> socket.socket:
    """Return a listening socket, so that nobody else can have the port while Earshot gets ready."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError):
        raise SystemExit(f"{host!r} is not a name or an address of this machine; choose another HOST.") from None
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        # A client that vanished is given up when it has confirmed nothing for so long; streams are pinged oftener.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, VANISHED_MILLISECONDS)
    try:
        listener.bind(place)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise SystemExit(why_not_bound(error, host, port)) from None
    return listener


def why_not_bound(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is taken; choose another, for example: make run PORT={min(port + 1, 65_535)}"
    if error.errno == errno.EACCES:
        return f"Port {port} is not open to ordinary users; choose one above 1023, for example: make run PORT=8000"
    return f"Earshot can't listen on {host}, port {port} ({error.strerror}); choose another HOST."


def address(host: str, listener: socket.socket) -> str:
    """The address to open in a browser; one that stands for all of this machine's is shown as this machine."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{listener.getsockname()[1]}"


@contextmanager
def refused_politely() -> Iterator[None]:
    """A full disk ends the command with a sentence."""
    try:
        yield
    except DatabaseError as error:
        if isinstance(error.__cause__, psycopg.errors.DiskFull):
            raise SystemExit(DISK_FULL) from error
        raise
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise SystemExit(DISK_FULL) from error
        raise


def short_of_connections(workers: int) -> str | None:
    """Return a sentence if PostgreSQL gives out fewer connections than that many processes may ask for."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(CASE name WHEN 'max_connections' THEN setting::int ELSE -setting::int END) FROM pg_settings"
            " WHERE name IN ('max_connections', 'superuser_reserved_connections', 'reserved_connections')"
        )
        given = cursor.fetchone()[0]
    wanted = workers * (settings.DATABASE_POOL + OWN_CONNECTIONS)
    if wanted <= given:
        return None
    return (
        f"PostgreSQL gives out {given} connections, and {wanted} may be asked for on a busy day:"
        " raise its max_connections, or lower WORKERS or DATABASE_POOL."
    )


def pending_migrations() -> int:
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def counted(migrations: int) -> str:
    return f"{migrations} change{'' if migrations == 1 else 's'}"
