"""The wake-ups fail: the listener dies, NOTIFYs are dropped, their queue is full."""

from __future__ import annotations

import asyncio
import time

import psycopg

from tests.faults import wire
from tests.faults.site import in_thread
from tests.faults.stage import Control, Fault, Stage, waited_for

LISTENERS = "FROM pg_stat_activity WHERE application_name = 'earshot listener' AND datname = 'earshot'"
POLLED_SECONDS = 2.5
ALARM_SECONDS = 30.0
EMPTIED_SECONDS = 30.0
STUCK_SECONDS = 60.0


async def listeners_killed(stage: Stage) -> None:
    """The last words are said while everybody is deaf: no later wake-up tells of them."""
    async with stage.load(rooms=8) as load:
        await load.goes_on(1)
        for _ in range(int(stage.lasting(3, 20))):
            await in_thread(kill_listeners, stage)
            await load.goes_on(stage.lasting(1.5, 3))
        await load.pause()
        for _ in range(5):  # each time the listeners wait before they come back
            await in_thread(kill_listeners, stage)
        await asyncio.gather(*(load.say(load.posters[0], room) for room in load.rooms))
    stage.promise("posting goes on", not load.statuses[0] and not load.statuses[503], dict(load.statuses), timed=True)
    stage.promise_within("99 % are shown", stage.trial.p99, POLLED_SECONDS)


def kill_listeners(stage: Stage) -> int:
    return int(stage.site.database.execute(f"SELECT count(pg_terminate_backend(pid)) {LISTENERS}")[0][0])


async def wake_ups_dropped(stage: Stage) -> None:
    database = stage.site.database
    async with stage.load() as load:
        await load.goes_on(1)
        await in_thread(database.execute, "INSERT INTO faults.switches VALUES ('notify dropped')")
        try:
            await load.goes_on(stage.lasting(6, 60))
            await load.pause()
            # Long enough for the last one to be found by looking.
            await load.goes_on(0 if stage.is_control else POLLED_SECONDS)
        finally:
            # Unless nothing was found by then, in a control: a later wake-up would show it.
            await load.settle(stage.settle_seconds)
            await in_thread(database.execute, "TRUNCATE faults.switches")
    stage.promise_within("99 % are shown", stage.trial.p99, POLLED_SECONDS)


async def queue_full(stage: Stage) -> None:
    async with stage.load() as load:
        await load.goes_on(1)
        with stage.site.database.as_superuser() as culprit:
            culprit.execute("LISTEN faults")
            culprit.execute("BEGIN")
            culprit.execute("SELECT 1")
            await in_thread(fill_queue, stage)
            await load.goes_on(stage.lasting(4, 30))
            refused = not await in_thread(can_notify, stage)
            stage.promise("the queue was full all the while", refused, refused)
            if stage.is_control:
                await load.settle(stage.settle_seconds)
            else:
                await alarm_is_raised(stage)
            if stage.is_long:
                await culprit_is_ended(stage, culprit.info.backend_pid)
        if stage.is_control:
            await in_thread(stage.site.database.execute, "SELECT pg_notification_queue_usage()")
        else:
            await queue_is_emptied(stage)
    posted = load.statuses[201] + load.statuses[200]
    stage.promise(
        "posting goes on", not load.statuses[0] and not load.statuses[503], f"{posted} answered with 20x", timed=True
    )
    stage.promise_within("99 % are shown", stage.trial.p99, POLLED_SECONDS)


def fill_queue(stage: Stage) -> None:
    with stage.site.database.as_superuser() as filler:
        try:
            while True:
                filler.execute("SELECT pg_catalog.pg_notify('faults', repeat('x', 7900))")
        except psycopg.errors.ProgramLimitExceeded:
            return


def can_notify(stage: Stage) -> bool:
    # Asking for the queue's usage would empty it, which is what is being waited for.
    try:
        stage.site.database.execute("SELECT pg_catalog.pg_notify('faults', repeat('x', 7900))")
    except psycopg.errors.ProgramLimitExceeded:
        return False
    return True


async def alarm_is_raised(stage: Stage) -> None:
    began = time.monotonic()
    said = ""
    while "NOTIFY queue" not in said and time.monotonic() - began < ALARM_SECONDS + 5:
        await asyncio.sleep(0.5)
        said = (await wire.get(stage.port, "/healthz", "")).body.decode()
    stage.promise_within("/healthz says so", time.monotonic() - began, ALARM_SECONDS)


async def culprit_is_ended(stage: Stage, pid: int) -> None:
    there = f"SELECT 1 FROM pg_stat_activity WHERE pid = {pid}"  # noqa: S608
    waited = await waited_for(lambda: not stage.site.database.execute(there), STUCK_SECONDS + 5)
    stage.promise_within("a session stuck in a transaction is ended, counted from the alarm,", waited, STUCK_SECONDS)


async def queue_is_emptied(stage: Stage) -> None:
    waited = await waited_for(lambda: can_notify(stage), EMPTIED_SECONDS + 5)
    stage.promise_within("the queue is empty again", waited, EMPTIED_SECONDS)


FAULTS = [
    Fault(
        "FI-01",
        "every process's LISTEN connection is killed, again and again",
        listeners_killed,
        Control("reconciliation off", "lost", listeners_killed, without="reconciliation", slow=True),
    ),
    Fault(
        "FI-06",
        "the NOTIFY queue is full: a listener is stuck in a transaction",
        queue_full,
        Control("reconciliation off", "lost", queue_full, without="reconciliation", slow=True),
    ),
    Fault(
        "FI-07",
        "every NOTIFY is dropped",
        wake_ups_dropped,
        Control("reconciliation off", "lost", wake_ups_dropped, without="reconciliation"),
    ),
]
