"""A rolling restart with a schema migration: two versions on one database, forward and back again."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from itertools import cycle

from tests.faults.load import Load
from tests.faults.proxy import Relay, Upstream, upstream_tcp
from tests.faults.server import Server
from tests.faults.stage import Control, Fault, Stage
from tests.server import ROOT

NEWER = "tests.faults.newer.settings"
HELD_SECONDS = 5.0
HELD_TOO_LONG_SECONDS = 13.0  # more than what is stale
STALL_SECONDS = 2.0
MIGRATE_SECONDS = 60.0
LOOK_SECONDS = 0.05

# What a migration's statements wait for, and for how long they have.
WAITS = """
SELECT EXTRACT(EPOCH FROM clock_timestamp() - query_start) FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND query LIKE 'ALTER TABLE messaging_message%'
"""
MOODS = "SELECT count(*) FILTER (WHERE mood IS NULL), count(mood) FROM messaging_message WHERE position > 0"


async def rolled(stage: Stage) -> None:
    """Migrate under load, add the newer version, take the older one away; then all of it backwards."""
    older = stage.site.server
    newer = Server(stage.site.log, DJANGO_SETTINGS_MODULE=NEWER)
    async with Relay(upstream_tcp(older.port)) as relay, stage.load(port=relay.port, reading_port=relay.port) as load:
        await load.goes_on(1)
        waited = await migrated_behind_somebody(stage, load)
        if not stage.is_control:
            try:
                await there_and_back(stage, load, relay, older, newer)
            finally:
                await newer.stop()
        await load.goes_on(1)
    await migrated(stage, "zero")
    stage.promise_within("no lock is waited for by a migration", waited, STALL_SECONDS + 0.2)
    slowest = max(load.answer_seconds)
    stage.promise_within("posts are answered meanwhile", slowest, STALL_SECONDS + 1)


async def there_and_back(stage: Stage, load: Load, relay: Relay, older: Server, newer: Server) -> None:
    await newer.start()
    relay.upstream = taking_turns(older, newer)
    await load.goes_on(stage.lasting(3, 30))
    without_mood, with_mood = (await asyncio.to_thread(stage.site.database.execute, MOODS))[0]
    relay.upstream = upstream_tcp(newer.port)
    await older.stop()
    await load.goes_on(1)
    await older.start()
    relay.upstream = taking_turns(older, newer)
    await load.goes_on(stage.lasting(2, 30))
    relay.upstream = upstream_tcp(older.port)
    await newer.stop()
    both = without_mood > 0 and with_mood > 0
    stage.promise("(both versions wrote)", both, f"{without_mood} and {with_mood} messages")


def taking_turns(*servers: Server) -> Upstream:
    ways = cycle([upstream_tcp(server.port) for server in servers])

    def next_one() -> Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        return next(ways)()

    return next_one


async def migrated_behind_somebody(stage: Stage, load: Load) -> float:
    """Migrate while somebody reads the table in a long transaction; return how long the longest wait was.

    Wake-ups are lost meanwhile, so that there is always something that has been posted and not been shown.
    """
    execute = stage.site.database.execute
    held = HELD_TOO_LONG_SECONDS if stage.is_control else HELD_SECONDS
    with stage.site.database.as_superuser() as reading:
        reading.execute("BEGIN")
        reading.execute("SELECT 1 FROM messaging_message LIMIT 1")
        await asyncio.to_thread(execute, "INSERT INTO faults.switches VALUES ('notify dropped')")
        async with migration(stage) as running:
            longest = await longest_wait(stage, load, running, MIGRATE_SECONDS, until=0.1)
            await asyncio.to_thread(execute, "TRUNCATE faults.switches")
            longest = max(longest, await longest_wait(stage, load, running, held))
            reading.execute("COMMIT")
            longest = max(longest, await longest_wait(stage, load, running, MIGRATE_SECONDS))
            tries = 1 + (await said(running)).count("trying again")
    stage.promise("(the migration had to wait its turn)", tries > 1, f"tried {tries} times")
    return longest


@asynccontextmanager
async def migration(stage: Stage, *arguments: str) -> AsyncIterator[Process]:
    """Have the newer version's migrations run, or those that are named; they have to succeed."""
    without = {"EARSHOT_FAULTS_WITHOUT": "lock_timeout"} if stage.is_control else {}
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "manage.py", "migrate", "newer", *arguments),
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": NEWER, **without},
        stdin=DEVNULL,
        stdout=DEVNULL,
        stderr=PIPE,
    )
    try:
        yield running
        if await running.wait() != 0:
            raise AssertionError(f"the migration failed: {await said(running)}")
    finally:
        if running.returncode is None:
            running.kill()


async def migrated(stage: Stage, *arguments: str) -> None:
    async with migration(stage, *arguments) as running:
        await said(running)


async def said(running: Process) -> str:
    return (await running.stderr.read()).decode() if running.stderr else ""


async def longest_wait(stage: Stage, load: Load, running: Process, seconds: float, until: float | None = None) -> float:
    """Watch the migration until its end, or for so long, or `until` it has waited; return how long it has at most."""
    longest = 0.0
    deadline = time.monotonic() + seconds
    while running.returncode is None and time.monotonic() < deadline:
        waits = await asyncio.to_thread(stage.site.database.execute, WAITS)
        longest = max([longest, *(float(seconds) for (seconds,) in waits)])
        if until is not None and longest >= until:
            break
        await load.goes_on(LOOK_SECONDS)
    return longest


FAULTS = [
    Fault(
        "FI-15",
        "a rolling restart with a schema migration, there and back",
        rolled,
        Control("lock_timeout of the migration off", "stale", rolled, slow=True),
    ),
]
