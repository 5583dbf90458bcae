"""The PostgreSQL that Earshot brings along: it outlives its users, is found again, and starts from ruins."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from project.cluster import Cluster, ClusterError
from project.embedded import socket_directory
from tests.faults import wire
from tests.faults.cases.database import REVIVAL_SECONDS, unflushed
from tests.faults.load import Load
from tests.faults.postgres import Database
from tests.faults.site import in_thread
from tests.faults.stage import Control, Fault, Stage, waited_for

AT_ONCE_SECONDS = 0.2
GAPS = """
SELECT count(*) FROM (SELECT position - lag(position, 1, 0) OVER (PARTITION BY room_id ORDER BY position) AS step
FROM rooms_event) AS steps WHERE step <> 1
"""


async def outlived(stage: Stage) -> None:
    async with stage.load() as load:
        await load.goes_on(1)
        await server_ends(stage, load, signal.SIGKILL)
        await load.goes_on(1)
        await server_ends(stage, load, signal.SIGTERM)
        await load.goes_on(1)
        await postmaster_killed(stage, load)
        await load.goes_on(1)
        await lock_of_a_stranger(stage, load)
        await load.goes_on(1)
        await slow_recovery(stage, load)
        await load.goes_on(1)
        await images(stage, load)
        await load.goes_on(1)


async def server_ends(stage: Stage, load: Load, number: signal.Signals) -> None:
    server, cluster = stage.site.server, stage.site.database.cluster
    before = cluster.postmaster()
    async with load.outage():
        await (server.kill_all() if number == signal.SIGKILL else server.stop(number))
        outlived = before is not None and cluster.postmaster() == before
        await server.start()
    adopted = outlived and cluster.postmaster() == before
    stage.promise(f"after {number.name} the next start adopts the running database", adopted, adopted)


async def postmaster_killed(stage: Stage, load: Load) -> None:
    """Only the postmaster: its children are still there when the next one starts."""
    server, database = stage.site.server, stage.site.database
    async with load.outage():
        await server.kill_all()
        postmaster = database.cluster.postmaster()
        if postmaster:
            postmaster.send_signal(signal.SIGKILL)
        killed = time.monotonic()

        def start_again() -> float:
            late = time.monotonic() - killed
            database.start()
            return late

        late = await asyncio.to_thread(start_again)
        await server.start()
    stage.promise_within("(the next postmaster was started)", late, AT_ONCE_SECONDS)


async def postmaster_killed_without_flushing(stage: Stage) -> None:
    async with unflushed(stage), stage.load() as load:
        await in_thread(stage.site.database.execute, "CHECKPOINT")  # the rooms are there
        await load.goes_on(2)
        await postmaster_killed(stage, load)


async def lock_of_a_stranger(stage: Stage, load: Load) -> None:
    """Its lock file names a process that lives, and is not it."""
    database = stage.site.database
    async with load.outage():
        with database.not_started():
            await asyncio.to_thread(database.kill)
            lock = database.cluster.data / "postmaster.pid"
            lines = lock.read_text().splitlines()
            lock.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
        revived = await asyncio.to_thread(database.revived, REVIVAL_SECONDS)
    stage.promise_within("a lock that names a stranger is seen through", revived, REVIVAL_SECONDS)


async def slow_recovery(stage: Stage, load: Load) -> None:
    """The server and PostgreSQL are killed; PostgreSQL stands still while it recovers."""
    server, database = stage.site.server, stage.site.database
    slow_seconds = stage.lasting(4, 15)
    async with load.outage():
        await server.kill_all()
        await asyncio.to_thread(database.kill)
        said = stage.site.log.stat().st_size
        starting = asyncio.create_task(server.start())
        appeared = await waited_for(lambda: database.cluster.postmaster() is not None, 30)
        database.freeze()
        began = time.monotonic()
        was_ready = False
        while time.monotonic() - began < slow_seconds:
            was_ready = was_ready or await says_ready(server.port)
            database.freeze()  # also what it has started meanwhile
        announced = b"Earshot is ready" in stage.site.log.read_bytes()[said:]
        database.thaw()
        await starting
    too_early = was_ready or announced
    stage.promise("(PostgreSQL was recovering)", appeared < 30, f"after {appeared:.1f} s")
    stage.promise(
        "Earshot is never ready before PostgreSQL is", not too_early, f"{slow_seconds:g} s of recovery, {too_early}"
    )


async def says_ready(port: int) -> bool:
    try:
        return (await wire.get(port, "/readyz", "", seconds=1)).status == 200
    except OSError:
        await asyncio.sleep(0.1)
        return False


async def images(stage: Stage, load: Load) -> None:
    """Images of the data directory: one of an instant, as a power cut leaves it, and one copied while it changes."""
    database = stage.site.database
    acknowledged = sum(call.promised is not None for call in load.history.calls)
    instant = await asyncio.to_thread(opened_image, database, load, is_frozen=True)
    stage.promise("the image of a power cut holds all that was acknowledged", instant == "whole", instant)
    copied = await asyncio.to_thread(opened_image, database, load, is_frozen=False)
    stage.promise("a copy taken while writing is refused, or is whole", copied in {"refused", "whole"}, copied)
    stage.promise("(something had been acknowledged)", acknowledged > 0, acknowledged)


def opened_image(database: Database, load: Load, *, is_frozen: bool) -> str:
    """Copy the data directory, start PostgreSQL on the copy, and return what became of the messages."""
    promised = [call.key for call in load.history.calls if call.promised]
    with image_of(database, is_frozen=is_frozen) as image:
        try:
            image.start()
            found = {str(key) for (key,) in image.execute("SELECT client_id FROM messaging_message")}
            gaps = image.execute(GAPS)[0][0]
        except (ClusterError, TimeoutError):
            return "refused"
        except psycopg.Error as error:
            return f"broken: {type(error).__name__}"
        missing = sum(key not in found for key in promised)
        return "whole" if not missing and not gaps else f"{missing} of {len(promised)} missing, {gaps} gaps"


@contextmanager
def image_of(database: Database, *, is_frozen: bool) -> Iterator[Database]:
    place = database.cluster.home.parent / "image"
    cluster = Cluster(place / "postgres", socket_directory(place), lambda _line: None)
    cluster.make_directories()
    (cluster.home / "starting.lock").touch()
    try:
        if is_frozen:
            database.freeze()
        try:
            copy(database.cluster.data, cluster.data)
        finally:
            database.thaw()
        image = Database(place)
        yield image
        image.cluster.stop()
    finally:
        shutil.rmtree(place)


def copy(source: Path, target: Path) -> None:
    # What is removed while it is being copied is missed, and complained of.
    subprocess.run(["cp", "--archive", source, target], check=False, capture_output=True)


FAULTS = [
    Fault(
        "FI-20",
        "the embedded PostgreSQL: its users are killed, its postmaster, its lock is another's, its recovery is slow, "
        "its data is an image",
        outlived,
        Control("synchronous_commit off", "lost", postmaster_killed_without_flushing, slow=True),
    ),
]
