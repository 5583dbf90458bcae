"""The server's own processes: stopped, killed, blocked; and the embedded PostgreSQL that outlives them."""

from __future__ import annotations

import asyncio
import os
import signal
import time

from tests.faults import wire
from tests.faults.load import Load
from tests.faults.stage import Fault, Stage

STOP_SECONDS = 8.0
BURST = 20
BLOCKED_SECONDS = 2.0


async def stopped(stage: Stage) -> None:
    async with stage.load(streams=int(stage.lasting(60, 500))) as load:
        await load.goes_on(1)
        burst = [asyncio.create_task(load.say(load.posters[number % 10], load.rooms[0])) for number in range(BURST)]
        await load.goes_on(0.01)
        async with load.outage():
            began = time.monotonic()
            code = await stage.site.server.stop(signal.SIGTERM)
            took = time.monotonic() - began
            byes = [reader.heard["bye"] for reader in load.streams]
            await stage.site.server.start()
        await asyncio.gather(*burst)
        await load.goes_on(2)
    stage.promise("its exit code is 0", code == 0, code)
    stage.promise_within("it is gone", took, STOP_SECONDS)
    stage.promise("every stream ends with a word of its own", set(byes) == {1}, f"{sum(byes)} of {len(byes)}")


async def killed_with_its_database(stage: Stage) -> None:
    """The server is killed and adopts the database; then the postmaster is, and another starts at once."""
    server, database = stage.site.server, stage.site.database
    async with stage.load() as load:
        await load.goes_on(1)
        async with load.outage():
            await server.kill_all()
            survivor = database.cluster.postmaster()
            await server.start()
        adopted = survivor is not None and database.cluster.postmaster() == survivor
        await load.goes_on(1)
        async with load.outage():
            await server.kill_all()
            kill_postmaster(stage)
            await asyncio.to_thread(database.start)
            await server.start()
        await load.goes_on(1)
        async with load.outage():
            await asyncio.to_thread(database.kill)
            write_foreign_lock(stage)
            await asyncio.to_thread(database.start)
        started = database.cluster.postmaster()
        await load.goes_on(2)
    stage.promise("the next start adopts the running database", adopted, adopted)
    stage.promise("a lock file that names a stranger is seen through", started is not None, "started")


def kill_postmaster(stage: Stage) -> None:
    """Only the postmaster: its children are still there when the next one starts."""
    postmaster = stage.site.database.cluster.postmaster()
    if postmaster:
        postmaster.send_signal(signal.SIGKILL)


def write_foreign_lock(stage: Stage) -> None:
    lock = stage.site.database.cluster.data / "postmaster.pid"
    lines = lock.read_text().splitlines() if lock.exists() else [""]
    lock.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")


async def loop_blocked(stage: Stage) -> None:
    async with stage.load() as load:
        await load.goes_on(1)
        logged = stage.site.log.stat().st_size
        stalls = []
        for _ in range(int(stage.lasting(2, 10))):
            for worker in stage.site.server.worker_processes():
                worker.send_signal(signal.SIGUSR1)
            stalls.append(await stall(load))
            await load.goes_on(1)
        streams_are_live(stage, load)
        with stage.site.log.open("rb") as log:
            log.seek(logged)
            said = b"time.sleep" in log.read()  # the call that blocks it
    blocked = min(stalls) > 0.9 * BLOCKED_SECONDS
    stage.promise("(the loops were blocked: /healthz waited)", blocked, f"{min(stalls):.1f} s at least")
    stage.promise("a watchdog logs it with a stack", said, "logged" if said else "there is none yet")
    stage.promise_within("99 % are shown", stage.trial.p99, BLOCKED_SECONDS + 1)


async def stall(load: Load) -> float:
    """Return how long the server took to say how it is."""
    began = time.monotonic()
    await wire.get(load.port, "/healthz", "")
    return time.monotonic() - began


def streams_are_live(stage: Stage, load: Load) -> None:
    reopened = sum(reader.opened - 1 for reader in load.streams)
    stage.promise("streams stay open", reopened == 0, f"{reopened} were reopened")


FAULTS = [
    Fault("FI-13", "SIGTERM with streams open and posts in flight", stopped, covered_by="FI-19"),
    Fault(
        "FI-20",
        "the server is killed; its PostgreSQL is killed and started at once; a stale lock names a stranger",
        killed_with_its_database,
        covered_by="FI-03",
    ),
    Fault(
        "FI-25",
        f"a worker's event loop is blocked for {BLOCKED_SECONDS:g} s",
        loop_blocked,
        without="nothing",
        covered_by="FI-01",
    ),
]
