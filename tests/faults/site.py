"""A site of its own for the faults: data directory, PostgreSQL, server processes, people. All of it may be broken."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any, ParamSpec, TypeVar

import psutil
import psycopg
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection

from accounts.models import User
from project import embedded
from project.cluster import PORT, SUPERUSER, Cluster
from rooms.actions import add_member, create_room
from rooms.models import Membership, Room
from tests.faults import wire
from tests.faults.load import Person
from tests.server import ROOT, free_port

P = ParamSpec("P")
R = TypeVar("R")

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


async def in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run blocking code of ours, with a database connection that goes back to the pool."""

    def run() -> R:
        try:
            return function(*args, **kwargs)
        finally:
            connection.close()

    return await asyncio.to_thread(run)


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


class Server:
    """`manage.py serve` with some workers; with `without`, the same with that safety taken off."""

    def __init__(self, log: Path, workers: int = 2, without: str | None = None, **environment: str) -> None:
        self.port = free_port()
        self.workers = workers
        self.without = without
        self.log = log
        self._environment = {**os.environ, **environment}
        self.process: psutil.Popen | None = None

    async def start(self, *arguments: str) -> None:
        program = ["manage.py"]
        if self.without:
            program = ["-m", "tests.faults.unsafe_server"]
            self._environment["EARSHOT_FAULTS_WITHOUT"] = self.without
        command = [sys.executable, *program, "serve", "--port", str(self.port), "--workers", str(self.workers)]
        with self.log.open("ab") as log:
            self.process = psutil.Popen(
                [*command, *arguments],
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        await self.wait_until_ready()

    async def wait_until_ready(self, seconds: float = START_SECONDS) -> None:
        """Wait until every worker has said several times that it is ready."""
        deadline = time.monotonic() + seconds
        in_a_row = 0
        while in_a_row < 3 * self.workers:
            if self.process is None or self.process.poll() is not None or time.monotonic() > deadline:
                raise TimeoutError(f"the server did not get ready; see {self.log}")
            in_a_row = in_a_row + 1 if await self.is_ready() else 0
            await asyncio.sleep(0 if in_a_row else POLL_SECONDS)

    async def is_ready(self) -> bool:
        try:
            return (await wire.get(self.port, "/readyz", "", seconds=5)).status == 200
        except OSError:
            return False

    def worker_processes(self) -> list[psutil.Process]:
        """The workers; multiprocessing's resource tracker is a child too and serves nothing."""
        children = self.process.children() if self.process else []
        return [child for child in children if "resource_tracker" not in " ".join(child.cmdline())]

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit code; a server that does not leave in time is killed and an error."""
        process, self.process = self.process, None
        if process is None or process.poll() is not None:
            return 0
        workers = process.children(recursive=True)
        process.send_signal(number)
        try:
            code: int = await asyncio.to_thread(process.wait, STOP_SECONDS)
        except psutil.TimeoutExpired:
            signal_all([process, *workers], signal.SIGKILL)
            raise AssertionError(f"the server did not stop within {STOP_SECONDS:.0f} s; see {self.log}") from None
        await asyncio.to_thread(psutil.wait_procs, workers, STOP_SECONDS)
        return code

    async def kill_all(self) -> None:
        """SIGKILL for the supervisor and its workers at once."""
        process, self.process = self.process, None
        if process:
            everyone = [process, *process.children(recursive=True)]
            signal_all(everyone, signal.SIGKILL)
            await asyncio.to_thread(psutil.wait_procs, everyone, STOP_SECONDS)


class Site:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.database = Database(settings.DATA_DIR)
        self.log = settings.DATA_DIR / "server.log"
        self.server = Server(self.log)
        self.people: list[Person] = []
        self._rooms_made = 0

    async def open(self, people: int) -> None:
        """Prepare database and server, and the people who will talk there. PostgreSQL is running."""
        self.log.write_bytes(b"")
        await self.server.start("--prepare")
        await self.server.stop()
        await asyncio.to_thread(self.database.prepare)
        await self.server.start()
        self.people = await in_thread(_signed_in_people, people)

    async def close(self) -> None:
        await self.server.stop()

    async def sign_everybody_in(self) -> None:
        """Give all people new sessions, their accounts open again."""
        self.people = await in_thread(_signed_in_people, len(self.people))

    async def repair(self) -> None:
        """Have database and server run, whatever a case that broke off has left behind."""
        await asyncio.to_thread(self.database.thaw)
        if self.database.cluster.postmaster() is None:
            await asyncio.to_thread(self.database.start)
        await asyncio.to_thread(self.database.prepare)
        await self.server.kill_all()
        self.server = Server(self.log)
        await self.server.start()

    @asynccontextmanager
    async def another_server(self, **environment: str) -> AsyncIterator[Server]:
        """One more server process on the same database."""
        server = Server(self.log, workers=1, **environment)
        await server.start()
        try:
            yield server
        finally:
            await server.stop()

    async def serve_without(self, safety: str | None) -> None:
        """Have the server run, with this safety taken off or with all of them on."""
        running = self.server.process is not None and self.server.process.poll() is None
        if running and self.server.without == safety:
            return
        await self.server.stop()
        self.server = Server(self.log, without=safety)
        await self.server.start()

    async def make_rooms(self, number: int, members: int) -> list[Room]:
        """Make rooms whose members are the first so many people."""
        self._rooms_made += number
        names = [f"Fault {self._rooms_made - number + place}" for place in range(number)]
        return await in_thread(_rooms, names, [person.name for person in self.people[:members]])


def _signed_in_people(number: int) -> list[Person]:
    people = []
    for place in range(number):
        user, _ = User.objects.get_or_create(
            username=f"person{place}", defaults={"name": f"Person {place}", "email": f"person{place}@example.org"}
        )
        if not user.is_active:
            User.objects.filter(pk=user.pk).update(is_active=True)
        people.append(Person(user.username, sign_in(user)))
    return people


def sign_in(user: User) -> str:
    """Return the key of a new session in which this person is signed in."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


def _rooms(names: list[str], usernames: list[str]) -> list[Room]:
    users = {user.username: user for user in User.objects.filter(username__in=usernames)}
    owner = users[usernames[0]]
    rooms = [create_room(name=name, topic="", kind=Room.Kind.PRIVATE, actor=owner) for name in names]
    for room in rooms:
        for name in usernames[1:]:
            add_member(room, member=users[name], actor=owner, role=Membership.Role.MEMBER)
    return list(Room.objects.filter(pk__in=[room.pk for room in rooms]).order_by("pk"))
