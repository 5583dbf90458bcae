"""Clocks that jump: the server's, and PostgreSQL's."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from tests.faults import wire
from tests.faults.cast import Person
from tests.faults.clock import Clock, clock_in
from tests.faults.history import Stay
from tests.faults.load import Load
from tests.faults.postgres import Database
from tests.faults.readers import PageReader
from tests.faults.site import in_thread
from tests.faults.stage import Control, Fault, NotHere, Stage

HOUR = 3600
BACK = -600
NEAR_SECONDS = 5.0  # two clocks that show as good as the same
JUMP_SECONDS = 10.0
BUSY_TIMES = 5


async def clocks_jump(stage: Stage) -> None:
    ours, theirs = (clock_in(stage.site.log.parent / name) for name in ("clock", "database-clock"))
    if ours is None or theirs is None:
        raise NotHere("needs libfaketime, which `make` installs where it works (Debian: apt install libfaketime)")
    async with (
        database_with(stage.site.database, theirs),
        stage.site.another_server(**ours.environment) as server,
        stage.load(port=server.port, rooms=2, streams=10) as load,
    ):
        await load.goes_on(1)
        for seconds in (0,) if stage.is_control else (HOUR, -HOUR, 0):
            ours.set(seconds)
            jumped = await shows(seconds, lambda: server_time(load))
            stage.promise(f"(the server's clock is {seconds:+d} s)", jumped, jumped)
            await load.goes_on(stage.lasting(1.5, 20))
            await all_is_well(stage, load)
        theirs.set(BACK)
        jumped = await shows(BACK, lambda: database_time(stage.site.database))
        stage.promise(f"(PostgreSQL's clock is {BACK:+d} s)", jumped, jumped)
        await load.goes_on(stage.lasting(1.5, 20))
        await all_is_well(stage, load)
        await come_late(load)


@asynccontextmanager
async def database_with(database: Database, clock: Clock) -> AsyncIterator[None]:
    """Have PostgreSQL go by another clock inside the block."""
    await asyncio.to_thread(database.stop)
    await asyncio.to_thread(launch, database, clock)
    await asyncio.to_thread(database.start)
    try:
        yield
    finally:
        await asyncio.to_thread(database.stop)
        await asyncio.to_thread(database.start)


def launch(database: Database, clock: Clock) -> None:
    cluster = database.cluster
    subprocess.run(
        [
            cluster.programs / "pg_ctl",
            "start",
            "--wait",
            f"--pgdata={cluster.data}",
            f"--log={cluster.log}",
            f"--options={cluster.options}",
        ],
        check=True,
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", **clock.environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        **cluster.account.process_owner(),
    )


async def shows(seconds: int, ask: Callable[[], Awaitable[datetime]]) -> bool:
    """Whether a clock comes to show so many seconds more than ours."""
    deadline = time.monotonic() + JUMP_SECONDS
    while time.monotonic() < deadline:
        if abs((await ask() - datetime.now(UTC)).total_seconds() - seconds) < NEAR_SECONDS:
            return True
        await asyncio.sleep(0.1)
    return False


async def server_time(load: Load) -> datetime:
    return parsedate_to_datetime((await wire.get(load.port, "/healthz", "")).headers["date"])


async def database_time(database: Database) -> datetime:
    found = await in_thread(database.execute, "SELECT clock_timestamp()")
    return datetime.fromisoformat(str(found[0][0]))


async def all_is_well(stage: Stage, load: Load) -> None:
    """People are still signed in, and what they say bears the database's time, whatever the server thinks."""
    statuses = {await visited(load, person) for person in load.readers}
    stage.promise("nobody is signed out", statuses == {200}, sorted(statuses))
    call = await load.say(load.posters[0], load.rooms[0])
    position = call.promised.position if call.promised and call.promised.position else 0
    path = f"/rooms/{load.rooms[0]}/messages/?after={position - 1}&limit=1"
    page = (await wire.get(load.port, path, load.posters[0].session)).json()
    told = [datetime.fromisoformat(message["created_at"]) for message in page["messages"]]
    away = abs((told[0] - await database_time(stage.site.database)).total_seconds())
    stage.promise_within("the time that a message bears is the database's", away, NEAR_SECONDS)


async def visited(load: Load, person: Person) -> int:
    """Return how a page is answered, asking a few times while the server is too busy to say."""
    for _ in range(BUSY_TIMES):
        status = (await wire.get(load.port, "/rooms/", person.session)).status
        if status != 503:
            return status
    return 503


async def come_late(load: Load) -> None:
    """Somebody reads each room from its beginning."""
    for room in load.rooms:
        late = PageReader(f"late in {room}", load.readers[0], room, load)
        load.history.stays.append(Stay(late.name, room, always_there=False))
        await late.turn()


FAULTS = [
    Fault(
        "FI-18",
        "the server's clock jumps by an hour forth and back, PostgreSQL's by ten minutes back",
        clocks_jump,
        Control("a room's order by the clock", "reordered", clocks_jump, without="order", slow=True),
    ),
]
