"""The PostgreSQL that starts by itself when DATABASE_URL is not set.

Everything it keeps is in `<data>/postgres`, and so is the socket it listens on; it never listens on TCP. Whoever uses
it holds a shared lock on `users.lock` there, which the kernel takes back however a process ends. The last one to leave
stops the server. A server whose users were all killed goes on running, and the next start adopts it. A server that ends
while it has users is started again by one of them: whoever holds `starting.lock`.
"""

import fcntl
import hashlib
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg import sql

from project.cluster import PORT, SUPERUSER, Cluster, ClusterError, Say
from project.keeper import Keeper, RevivalError, kept
from project.server_account import AccountError
from project.unwinding import unwound_by_signals

NAME = "earshot"
LONGEST_SOCKET_PATH = 100  # bytes; the kernels' limits are 104 and 108


class EmbeddedPostgresError(Exception):
    """Why there is no embedded PostgreSQL, as one sentence for whoever started Earshot."""


def socket_directory(data: Path) -> Path:
    """Where the server of this data directory has its socket: beside its files, unless that path is too long."""
    beside = data.resolve() / "postgres"
    if len(os.fsencode(beside / f".s.PGSQL.{PORT}")) <= LONGEST_SOCKET_PATH:
        return beside
    digest = hashlib.sha256(os.fsencode(data.resolve())).hexdigest()[:16]
    # Not TMPDIR: every process must come to the same place. Its owner and mode are checked before it is used.
    return Path("/tmp") / f"earshot-{digest}"  # noqa: S108


def connection_settings(data: Path) -> dict[str, str]:
    """How to reach that server, in libpq's words: host, port, user and dbname."""
    return {"host": str(socket_directory(data)), "port": str(PORT), "user": NAME, "dbname": NAME}


@contextmanager
def running(data: Path, say: Say) -> Iterator[None]:
    """Have the server of this data directory running inside the block, ready for connection_settings(data).

    `say` gets a short line for each step that takes time. Raises EmbeddedPostgresError when there is no server to be
    had. SIGTERM and SIGHUP unwind the block like Ctrl-C does, so that they stop the server too. A server that ends by
    itself is started again, from a thread.
    """
    cluster = Cluster(data.resolve() / "postgres", socket_directory(data), say)
    with unwound_by_signals((signal.SIGTERM, signal.SIGHUP)):
        with _explained(cluster):
            cluster.make_directories()
            users = _open_lock(cluster, "users.lock")
        try:
            with _explained(cluster):
                fcntl.flock(users, fcntl.LOCK_SH)  # waits for a last user who is stopping the server
                _start(cluster)
            with kept(Keeper(lambda: cluster.postmaster() is not None, lambda: _revive(cluster), cluster.leaving)):
                yield
        finally:
            if _taken_alone(users):
                cluster.stop()
            os.close(users)


@contextmanager
def _explained(cluster: Cluster) -> Iterator[None]:
    try:
        yield
    except (ClusterError, AccountError) as error:
        raise EmbeddedPostgresError(str(error)) from error
    except psycopg.Error as error:
        raise EmbeddedPostgresError(str(cluster.failure(str(error)))) from error
    except OSError as error:
        raise EmbeddedPostgresError(
            f"The data directory {cluster.home.parent} can't be used "
            f"({error.filename or cluster.home}: {error.strerror or error}); "
            "make it writable, or set EARSHOT_DATA to a directory that is."
        ) from error


def _revive(cluster: Cluster) -> None:
    """Have the server running again. Data that is gone is not made anew: an empty database would look like a loss."""
    if not cluster.exists():
        raise RevivalError(f"The data directory {cluster.data} is gone, so that PostgreSQL can't be started.")
    try:
        with _explained(cluster):
            _start(cluster)
    except EmbeddedPostgresError as error:
        raise RevivalError(str(error)) from error


def _start(cluster: Cluster) -> None:
    """Come back with a server that has answered, started or adopted, and with our database in it."""
    lock = _open_lock(cluster, "starting.lock")
    try:
        cluster.wait(lambda: _taken_alone(lock), "Another process is starting PostgreSQL")
        if not cluster.exists():
            cluster.make()
        cluster.check_version()
        cluster.wait(lambda: _answering(cluster), "PostgreSQL is getting ready (after a crash this can take minutes)")
        _ensure_database(cluster)
    finally:
        os.close(lock)


def _answering(cluster: Cluster) -> bool:
    """Whether the server answers a query, the only proof that it is there; one that isn't there at all is launched."""
    # A server that is starting, stopping or recovering refuses us.
    with suppress(psycopg.OperationalError), _connected(cluster) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)
    if cluster.postmaster() is None:
        cluster.launch()
    return False


def _ensure_database(cluster: Cluster) -> None:
    """Our role owns our database and may make more, for tests; it is not the superuser."""
    with _connected(cluster) as connection:
        if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [NAME]).rowcount:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(sql.Identifier(NAME)))
        if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [NAME]).rowcount:
            connection.execute(sql.SQL("CREATE DATABASE {0} OWNER {0}").format(sql.Identifier(NAME)))


def _connected(cluster: Cluster) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host=str(cluster.socket), port=PORT, user=SUPERUSER, dbname="postgres", autocommit=True, connect_timeout=5
    )


def _open_lock(cluster: Cluster, name: str) -> int:
    lock = os.open(cluster.home / name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    cluster.account.take(lock)
    return lock


def _taken_alone(lock: int) -> bool:
    """Whether this process now holds the lock for itself; if not, its share of it is given up."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fcntl.flock(lock, fcntl.LOCK_UN)
        return False
    return True
