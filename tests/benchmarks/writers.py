"""How many messages the actions can acknowledge, and what NOTIFY inside the transaction would make of it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
from django.conf import settings
from django.db import connection
from psycopg import sql

from project.cluster import SUPERUSER
from rooms.models import Room
from tests.benchmarks.child import Child
from tests.benchmarks.figures import Figure
from tests.benchmarks.stage import Person, Stage
from tests.server import database_url

PROCESSES = 4
WRITERS = 8  # threads in each
ROOMS = 8
SECONDS = 4.0
FLUSHES = 100
SLOW_FLUSH = 1.0  # milliseconds
SLOWER_FLUSHES = (1.0, 10.0)
INSIDE = "NOTIFY inside the transaction"


def measure(stage: Stage) -> Iterator[Figure]:
    flush = flush_milliseconds(settings.DATA_DIR)
    yield Figure("a flush to the disk takes", flush, "ms")
    rooms, people = _rooms(stage)
    bar = None if stage.scale == "short" else 5  # on a busy machine a lock is not what writers wait for
    yield from _compared(stage, rooms, people, "", bar if flush >= SLOW_FLUSH else None)
    if settings.EMBEDDED_POSTGRES:
        for slower in SLOWER_FLUSHES if stage.scale != "short" else SLOWER_FLUSHES[-1:]:
            with _slow_flush(slower):
                yield from _compared(stage, rooms, people, f", flushes slowed by {slower:g} ms", bar)
    rate = _rate(stage, rooms[:1], people, inside=False)
    yield Figure(f"acknowledged posts, {len(people)} writers, 1 room", rate, "/s")


def _rooms(stage: Stage) -> tuple[list[Room], list[Person]]:
    writers = WRITERS * stage.pick(PROCESSES, short=1)
    made = [stage.room(members=writers) for _ in range(ROOMS)]
    return [room for room, _ in made], made[0][1]


def _compared(stage: Stage, rooms: list[Room], people: list[Person], how: str, bar: float | None) -> Iterator[Figure]:
    name = f"acknowledged posts, {len(people)} writers, {len(rooms)} rooms{how}"
    after = _rate(stage, rooms, people, inside=False)
    inside = _rate(stage, rooms, people, inside=True)
    yield Figure(name, after, "/s", floor=inside, bar=bar, at_least=True, against=INSIDE)


def _rate(stage: Stage, rooms: list[Room], people: list[Person], *, inside: bool) -> float:
    """Return the acknowledged posts a second of all writers; any error of a writer, a deadlock too, is raised."""
    stage.say(f"  {len(people)} writers, {len(rooms)} rooms{', ' + INSIDE if inside else ''} …")
    seconds = stage.pick(SECONDS, short=0.5)
    with ExitStack() as stack:
        ours = {"DATABASE_URL": database_url(connection.settings_dict), "SECRET_KEY": settings.SECRET_KEY}
        processes = [stack.enter_context(Child("writer", **ours)) for _ in range(len(people) // WRITERS)]
        for place, process in enumerate(processes):
            mine = people[place * WRITERS : (place + 1) * WRITERS]
            users = [person.user.pk for person in mine]
            process.send("prepare", rooms=[room.pk for room in rooms], users=users, inside=inside)
        for process in processes:
            process.answer()
        for process in processes:
            process.send("write", seconds=seconds)
        posted: int = sum(process.answer() for process in processes)
        return posted / seconds


def flush_milliseconds(directory: Path) -> float:
    """Return how long the disk takes to make a page safe, the median of some tries."""
    path = directory / "flush"
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        return sorted(_flush(file, number) for number in range(FLUSHES))[FLUSHES // 2]
    finally:
        os.close(file)
        path.unlink()


def _flush(file: int, number: int) -> float:
    os.pwrite(file, b"\0" * 8192, number * 8192)
    began = time.monotonic()
    os.fdatasync(file)
    return (time.monotonic() - began) * 1e3


@contextmanager
def _slow_flush(milliseconds: float) -> Iterator[None]:
    """Have new connections wait before each flush, as on a slower disk than this one."""
    database = sql.Identifier(connection.settings_dict["NAME"])
    parameters = {**connection.get_connection_params(), "user": SUPERUSER}
    parameters = {name: parameters[name] for name in ("dbname", "user", "host", "port")}
    with psycopg.connect(**parameters, autocommit=True) as superuser:
        delay = sql.Literal(int(milliseconds * 1_000))
        superuser.execute(sql.SQL("ALTER DATABASE {} SET commit_delay = {}").format(database, delay))
        superuser.execute(sql.SQL("ALTER DATABASE {} SET commit_siblings = 0").format(database))
        try:
            yield
        finally:
            superuser.execute(sql.SQL("ALTER DATABASE {} RESET commit_delay").format(database))
            superuser.execute(sql.SQL("ALTER DATABASE {} RESET commit_siblings").format(database))
