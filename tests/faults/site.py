"""A site of its own for the faults: data directory, PostgreSQL, server processes, people. All of it may be broken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import ParamSpec, TypeVar, cast

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.backends.postgresql.base import DatabaseWrapper

from rooms.models import Room
from tests.faults.cast import Person, make_rooms, signed_in_people
from tests.faults.postgres import Database
from tests.faults.server import Server

P = ParamSpec("P")
R = TypeVar("R")


async def in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run blocking code of ours, with a database connection that goes back to the pool."""

    def run() -> R:
        try:
            return function(*args, **kwargs)
        finally:
            connection.close()

    return await asyncio.to_thread(run)


def forget_connections() -> None:
    """Have this process connect anew: after an outage its pool may wait long before it tries again."""
    connection.close()
    cast("DatabaseWrapper", connection).close_pool()


def prepare() -> None:
    call_command("migrate", interactive=False, verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)


class Site:
    def __init__(self, random: Random, database: Database) -> None:
        self.random = random
        self.database = database
        self.log = settings.DATA_DIR / "server.log"
        self.server = Server(self.log)
        self.people: list[Person] = []
        self._rooms_made = 0

    async def open(self, people: int) -> None:
        """Prepare database and server, and the people who will talk there. PostgreSQL is running."""
        self.log.write_bytes(b"")
        await in_thread(prepare)
        await asyncio.to_thread(self.database.prepare)
        await self.server.start()
        self.people = await in_thread(signed_in_people, people)

    async def close(self) -> None:
        await self.server.stop()

    async def sign_everybody_in(self) -> None:
        """Give all people new sessions, their accounts open again."""
        self.people = await in_thread(signed_in_people, len(self.people))

    async def repair(self) -> None:
        """Have database and server run, whatever a case that broke off has left behind."""
        await asyncio.to_thread(self.database.thaw)
        await asyncio.to_thread(self.database.start)
        await asyncio.to_thread(self.database.prepare)
        await self.server.kill_all()
        self.server = Server(self.log)
        await self.server.start()

    @asynccontextmanager
    async def another_server(self, **environment: str) -> AsyncIterator[Server]:
        """One more server process on the same database, lacking the same safety."""
        server = Server(self.log, workers=1, without=self.server.without, **environment)
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

    async def make_rooms(self, number: int, members: Sequence[Person], kind: str = Room.Kind.PRIVATE) -> list[Room]:
        """Make rooms whose members are these people, the first of them their owner."""
        self._rooms_made += number
        names = [f"Fault {self._rooms_made - number + place}" for place in range(number)]
        return await in_thread(make_rooms, names, [person.name for person in members], kind)
