"""The embedded PostgreSQL as something to break: stopped, killed, frozen, its wake-ups dropped."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg

from project import embedded
from project.cluster import PORT, SUPERUSER, Cluster

START_SECONDS = 60.0
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
    """The embedded PostgreSQL as a process that can be stopped, killed and frozen."""

    def __init__(self, data: Path) -> None:
        self.cluster = Cluster(data / "postgres", embedded.socket_directory(data), lambda _line: None)

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
        self.cluster.launch()
        self.wait_until_ready()

    def stop(self) -> None:
        self.cluster.stop()

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
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with suppress(psycopg.OperationalError):
                self.execute("SELECT 1")
                return
            time.sleep(POLL_SECONDS)
        raise TimeoutError(f"PostgreSQL did not answer within {seconds:.0f} s; see {self.cluster.log}")


def signal_all(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
