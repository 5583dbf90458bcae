"""The embedded PostgreSQL as something to break: stopped, killed, frozen, its wake-ups dropped."""

from __future__ import annotations

import fcntl
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from math import inf
from pathlib import Path
from typing import Any

import psutil
import psycopg

from project import embedded
from project.cluster import PORT, SUPERUSER, Cluster
from project.unwinding import unwound_by_signals

START_SECONDS = 120.0  # on a machine that has much else to do
STOP_SECONDS = 15.0
POLL_SECONDS = 0.05
QUEUE_PAGES = 64  # of 8 KiB: a NOTIFY queue that can be filled in a moment

# `pg_notify` as the server finds it: PostgreSQL's own, unless the switch is on. Nothing else is in this schema.
PREPARATION = """
CREATE SCHEMA faults AUTHORIZATION earshot;
CREATE SEQUENCE faults.position START 1000000;
CREATE TABLE faults.switches (name text PRIMARY KEY);
CREATE FUNCTION faults.pg_notify(channel text, payload text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM faults.switches WHERE name = 'notify dropped') THEN
        PERFORM pg_catalog.pg_notify(channel, payload);
    END IF;
END $$;
CREATE FUNCTION faults.hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM public.messaging_message WHERE id = NEW.message_id AND text LIKE '% held%') THEN
        PERFORM pg_advisory_xact_lock(8);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER hold AFTER INSERT ON public.rooms_event FOR EACH ROW EXECUTE FUNCTION faults.hold();
ALTER FUNCTION faults.pg_notify(text, text) OWNER TO earshot;
ALTER TABLE faults.switches OWNER TO earshot;
ALTER SEQUENCE faults.position OWNER TO earshot;
ALTER DATABASE earshot SET search_path = faults, pg_catalog, public;
"""
CONFIGURATION = {"max_notify_queue_pages": str(QUEUE_PAGES), "wal_writer_delay": "10s"}


class Database:
    """The embedded PostgreSQL as a process that can be stopped, killed and frozen.

    A server that was killed is started again by Earshot. One that was stopped here stays so until it is started here:
    the lock that a start needs is held meanwhile.
    """

    def __init__(self, data: Path) -> None:
        self.cluster = Cluster(data / "postgres", embedded.socket_directory(data), lambda _line: None)
        self._starting: int | None = None

    @contextmanager
    def used(self) -> Iterator[None]:
        """Have it run inside the block whoever stops using it, but leave it to Earshot to start it again."""
        with unwound_by_signals((signal.SIGTERM, signal.SIGHUP)):
            with embedded.running(self.cluster.home.parent, lambda _line: None):
                users = os.open(self.cluster.home / "users.lock", os.O_RDWR)
                fcntl.flock(users, fcntl.LOCK_SH)
            try:
                yield
            finally:
                self.thaw()
                self.stop()
                self._allow_starts()
                os.close(users)

    @contextmanager
    def as_superuser(self, name: str = "earshot") -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        socket = str(self.cluster.socket)
        with psycopg.connect(
            host=socket, port=PORT, user=SUPERUSER, dbname=name, autocommit=True, connect_timeout=5
        ) as opened:
            yield opened

    def execute(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements as the superuser; returns the last one's rows."""
        with self.as_superuser() as opened:
            for statement in statements:
                cursor = opened.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def prepare(self) -> None:
        """Put in place what the faults are caused with; done once, after the migrations."""
        if self.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'faults'"):
            self.execute("TRUNCATE faults.switches", "ALTER ROLE earshot RESET synchronous_commit")
            return
        self.execute(PREPARATION, *(f"ALTER SYSTEM SET {name} = '{value}'" for name, value in CONFIGURATION.items()))
        self.stop()
        self.start()

    def processes(self) -> list[psutil.Process]:
        postmaster = self.cluster.postmaster()
        return [postmaster, *postmaster.children(recursive=True)] if postmaster else []

    def start(self) -> None:
        """Start it, and come back when it has answered; after a crash that takes a recovery."""
        self._prevent_starts()
        try:
            self._wait(START_SECONDS, self._launch_if_gone)
        finally:
            self._allow_starts()

    def _launch_if_gone(self) -> None:
        """One that was killed a moment ago may still be seen."""
        if self.cluster.postmaster() is None:
            self.cluster.launch()

    def stop(self) -> None:
        self._prevent_starts()
        self.cluster.stop()

    @contextmanager
    def not_started(self) -> Iterator[None]:
        """Have nobody start it inside the block."""
        self._prevent_starts()
        try:
            yield
        finally:
            self._allow_starts()

    def _prevent_starts(self) -> None:
        if self._starting is None:
            self._starting = os.open(self.cluster.home / "starting.lock", os.O_RDWR)
            fcntl.flock(self._starting, fcntl.LOCK_EX)

    def _allow_starts(self) -> None:
        if self._starting is not None:
            os.close(self._starting)
            self._starting = None

    def revived(self, seconds: float) -> float:
        """Return how long it took until it answered without anybody's help, or `inf` when it did not."""
        began = time.monotonic()
        try:
            self.wait_until_ready(seconds)
        except TimeoutError:
            return inf
        return time.monotonic() - began

    def kill(self) -> None:
        """SIGKILL for all of it in the same instant, like a power cut for everything that is not on disk yet."""
        processes = self.processes()
        signal_all(processes, signal.SIGSTOP)
        signal_all(processes, signal.SIGKILL)
        psutil.wait_procs(processes, timeout=STOP_SECONDS)

    def freeze(self) -> None:
        signal_all(self.processes(), signal.SIGSTOP)

    def thaw(self) -> None:
        signal_all(self.processes(), signal.SIGCONT)

    def wait_until_ready(self, seconds: float = START_SECONDS) -> None:
        self._wait(seconds, lambda: None)

    def _wait(self, seconds: float, meanwhile: Callable[[], None]) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with suppress(psycopg.OperationalError):
                self.execute("SELECT 1")
                return
            meanwhile()
            time.sleep(POLL_SECONDS)
        raise TimeoutError(f"PostgreSQL did not answer within {seconds:.0f} s; see {self.cluster.log}")


def signal_all(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
