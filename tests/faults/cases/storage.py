"""The disks: full, or lying. Played on a site of its own, whose volumes are small."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import psycopg

from tests.faults import wire
from tests.faults.cases.cursor import bulk_post
from tests.faults.cases.database import unflushed
from tests.faults.load import Load
from tests.faults.postgres import Database
from tests.faults.site import in_thread
from tests.faults.stage import Control, Fault, NotHere, Stage, waited_for

BALLAST_BLOCK = 1024**2
SEGMENT_BYTES = 16 * 1024**2
LEFT_BYTES = 1024**2
STEP_BYTES = 64 * 1024
PLACE = "SELECT file_name, file_offset FROM pg_walfile_name_offset(pg_current_wal_insert_lsn())"
SAY = "SELECT pg_logical_emit_message(false, 'faults', repeat('x', {}))"
REVIVAL_SECONDS = 30.0


async def data_volume_full(stage: Stage) -> None:
    database = stage.site.database
    async with stage.load(filler=2500, streams=10) as load:
        await load.goes_on(1)
        async with load.outage():
            with filled(database.cluster.data):
                await load.goes_on(stage.lasting(5, 30))
                reading = await wire.get(load.port, f"/rooms/{load.rooms[0]}/messages/", load.readers[0].session)
        refused = load.statuses[503]
        await load.goes_on(2)
        reopened = sum(reader.opened - 1 for reader in load.streams)
    stage.promise("posts are refused with 503 meanwhile", refused > 0, f"{refused} were")
    stage.promise("pages can be read meanwhile", reading.status == 200, reading.status)
    stage.promise("streams stay open", reopened == 0, f"{reopened} were reopened")
    stage.promise_within("all is well again", stage.trial.recovery, 5.0)


async def log_volume_full(stage: Stage) -> None:
    """PostgreSQL panics once the log has to grow, and ends. It is not told when there is space again."""
    database = stage.site.database
    async with log_kept(stage), stage.load(streams=10, filler=800) as load:
        await load.goes_on(1)
        async with load.outage():
            with filled(log_volume(database)):
                await asyncio.to_thread(use_log_up, database)
                await load.goes_on(stage.lasting(2, 30))
                await asyncio.to_thread(flush_log, database)
                ended = await waited_for(lambda: database.cluster.postmaster() is None, 5)
                reading = await wire.get(load.port, "/rooms/", load.readers[0].session, seconds=15)
                starts = count_starts(database)
                await load.goes_on(stage.lasting(3, 30))
                starts = count_starts(database) - starts
            revived = await asyncio.to_thread(database.revived, REVIVAL_SECONDS)
        await load.goes_on(2)
        reopened = sum(reader.opened - 1 for reader in load.streams)
    stage.promise("(PostgreSQL ended)", ended <= 5, f"{ended:.1f} s", timed=True)
    stage.promise("it is tried again without haste, at most 5 times meanwhile", starts <= 5, starts)
    stage.promise_within("Earshot starts it again once there is space", revived, REVIVAL_SECONDS)
    stage.promise("pages say so with 503 meanwhile", reading.status == 503, reading.status)
    stage.promise("streams stay open", reopened == 0, f"{reopened} were reopened")
    stage.promise_within("all is well again once it answers", stage.trial.recovery, 30.0)


@asynccontextmanager
async def log_kept(stage: Stage) -> AsyncIterator[None]:
    """Have no file of the write-ahead log used again: a checkpoint in time would save PostgreSQL otherwise."""
    database = stage.site.database
    await in_thread(database.execute, "ALTER SYSTEM SET wal_keep_size = '1GB'", "SELECT pg_reload_conf()")
    try:
        yield
    finally:
        await asyncio.to_thread(database.wait_until_ready)
        forget = ("ALTER SYSTEM RESET wal_keep_size", "SELECT pg_reload_conf()", "CHECKPOINT")
        await in_thread(database.execute, *forget)


async def log_volume_full_without_flushing(stage: Stage) -> None:
    async with unflushed(stage):
        await log_volume_full(stage)


def count_starts(database: Database) -> int:
    return database.cluster.log.read_text(errors="replace").count("starting PostgreSQL")


@contextmanager
def filled(directory: Path) -> Iterator[None]:
    """Fill the volume of a directory to its last byte."""
    ballast = directory.parent / "ballast"
    try:
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(BALLAST_BLOCK))
        with suppress(OSError), ballast.open("ab", buffering=0) as file:
            while True:
                file.write(bytes(512))
        yield
    finally:
        ballast.unlink()


def log_volume(database: Database) -> Path:
    return (database.cluster.data / "pg_wal").resolve()


def use_log_up(database: Database) -> None:
    """Let the write-ahead log grow, in memory, out of the last file that there is for it."""
    while later_segments(database):
        database.execute(SAY.format(1), "SELECT pg_switch_wal()")
    last, offset = database.execute(PLACE)[0]
    database.execute(SAY.format(max(1, SEGMENT_BYTES - offset - LEFT_BYTES)))
    # Messages like these are not flushed. Whoever flushes beyond the end of that file meets a full volume.
    with suppress(psycopg.OperationalError):
        while database.execute(SAY.format(STEP_BYTES), PLACE)[0][0] == last:
            pass


def later_segments(database: Database) -> int:
    """Return how many files there are for what is still to be written."""
    current = database.execute(PLACE)[0][0]
    return sum(len(path.name) == len(current) and path.name > current for path in log_volume(database).iterdir())


def flush_log(database: Database) -> None:
    with suppress(psycopg.Error):
        for _ in range(3):
            database.execute(SAY.format(1), "SELECT pg_switch_wal()")
        raise NotHere("the volume of the write-ahead log could not be filled")


async def bit_flipped(stage: Stage) -> None:
    async with stage.load(rooms=1, filler=600, streams=5, pages=0) as load:
        await load.goes_on(2)
        await load.pause()
        # As many more as it takes for PostgreSQL to read one page by its index, not the whole table.
        await in_thread(bulk_post, load)
        await in_thread(stage.site.database.execute, "ANALYZE messaging_message")
        damaged = load.history.calls[len(load.history.calls) // 2]
        position = damaged.promised.position if damaged.promised else None
        async with load.outage():
            await flip(stage, damaged.key)
            if stage.is_control:
                return
            await stage.site.server.wait_until_ready()  # so that it is the page that a read fails by
            touched = await read_around(load, position or 0)
            untouched = await read_around(load, 0)
            await flip(stage, flipped(damaged.key))
    stage.promise("reading what the damaged page holds fails loudly", touched.status >= 500, touched.status)
    stage.promise("the rest of the room can be read", untouched.status == 200, untouched.status)


async def read_around(load: Load, position: int) -> wire.Reply:
    path = f"/rooms/{load.rooms[0]}/messages/?after={max(0, position - 1)}&limit=2"
    return await wire.get(load.port, path, load.posters[0].session)


async def flip(stage: Stage, text: str) -> None:
    """Flip one bit of a text in the table's file, while PostgreSQL does not run."""
    database = stage.site.database
    path = await in_thread(database.execute, "CHECKPOINT", "SELECT pg_relation_filepath('messaging_message')")
    await asyncio.to_thread(database.stop)
    file = database.cluster.data / path[0][0]
    before = file.read_bytes()
    after = before.replace(text.encode(), flipped(text).encode(), 1)
    if before == after:
        raise NotHere("the text was not found in the table's file")
    with file.open("r+b") as opened:
        opened.write(after)
    await asyncio.to_thread(database.start)


def flipped(text: str) -> str:
    """Return the text with one bit of its first character turned."""
    return chr(ord(text[0]) ^ 1) + text[1:]


async def bit_flipped_unnoticed(stage: Stage) -> None:
    await checksums(stage, "--disable")
    try:
        await bit_flipped(stage)
    finally:
        await checksums(stage, "--enable")


async def checksums(stage: Stage, change: str) -> None:
    cluster = stage.site.database.cluster
    await asyncio.to_thread(stage.site.database.stop)
    command: list[str | Path] = [cluster.programs / "pg_checksums", change, f"--pgdata={cluster.data}"]
    owner = cluster.account.process_owner()
    await asyncio.to_thread(lambda: subprocess.run(command, check=True, capture_output=True, cwd="/", **owner))
    await asyncio.to_thread(stage.site.database.start)


def move_log(database: Database, volume: Path) -> None:
    """Move the write-ahead log to a volume of its own, and keep it short."""
    settings = {"max_wal_size": "48MB", "min_wal_size": "32MB"}
    database.execute(*(f"ALTER SYSTEM SET {name} = '{value}'" for name, value in settings.items()), "CHECKPOINT")
    database.stop()
    log = database.cluster.data / "pg_wal"
    subprocess.run(["cp", "--archive", log, volume / "pg_wal"], check=True)
    shutil.rmtree(log)
    log.symlink_to(volume / "pg_wal")
    database.start()


FAULTS = [
    Fault(
        "FI-09",
        "the data volume is full",
        data_volume_full,
        Control("acknowledged whether or not it was written", "lost", data_volume_full, without="commit", slow=True),
        on_small_disks=True,
    ),
    Fault(
        "FI-10",
        "the volume of the write-ahead log is full",
        log_volume_full,
        Control("synchronous_commit off", "lost", log_volume_full_without_flushing, slow=True),
        on_small_disks=True,
    ),
    Fault(
        "FI-28",
        "a bit flips in a page of the message table",
        bit_flipped,
        Control("data checksums off", "phantom", bit_flipped_unnoticed, slow=True),
        on_small_disks=True,
    ),
]
