"""The server's own processes: stopped, or blocked."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from itertools import pairwise

from tests.faults import wire
from tests.faults.cases.cursor import HELD, summed_up
from tests.faults.history import Call
from tests.faults.load import Load
from tests.faults.site import in_thread
from tests.faults.stage import Control, Fault, Stage, waited_for
from tests.faults.unsafe_streams import BLOCKED_SECONDS, PING_TICKS

STOP_SECONDS = 8.0
BURST = 20
WAITING_SECONDS = 1.0  # with what follows, less than the server's lock_timeout
GATHER_SECONDS = 10.0
LATE_SECONDS = 2.0

COMMITTING = "committing"  # such a message waits for lock 9 while it is committed
HOLD_COMMITS = (
    """CREATE FUNCTION faults.hold_commit() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT FROM public.messaging_message WHERE id = NEW.message_id AND text LIKE '% committing%') THEN
            PERFORM set_config('lock_timeout', '0', true);
            PERFORM pg_advisory_xact_lock(9);
        END IF;
        RETURN NEW;
    END $$""",
    """CREATE CONSTRAINT TRIGGER hold_commit AFTER INSERT ON public.rooms_event
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION faults.hold_commit()""",
)
LET_COMMIT = "DROP FUNCTION faults.hold_commit CASCADE"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'earshot' AND wait_event_type = 'Lock'"
COMMITS_WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 9 AND NOT granted"


async def stopped(stage: Stage) -> None:
    """SIGTERM twice: once it may finish what is in flight, once it is killed before it could."""
    async with commits_can_be_held(stage), stage.load(streams=int(stage.lasting(60, 500))) as load:
        await load.goes_on(1)
        if not stage.is_control:
            await stopped_in_peace(stage, load)
            await load.goes_on(1)
        await stopped_and_cut_short(stage, load)
        await load.goes_on(2)


async def stopped_in_peace(stage: Stage, load: Load) -> None:
    opened = [reader.opened for reader in load.streams]
    byes_before = sum(reader.heard["bye"] for reader in load.streams)
    async with load.outage():
        with stage.site.database.as_superuser() as holder:
            holder.execute("SELECT pg_advisory_lock(8)")
            burst = [asyncio.create_task(load.say(load.posters[n % 10], room_of(load, n), HELD)) for n in range(BURST)]
            waiting = await count_reaches(stage, WAITING, BURST)
            began = time.monotonic()
            stopping = asyncio.create_task(stage.site.server.stop(signal.SIGTERM))
            await load.goes_on(0.2)
            holder.execute("SELECT pg_advisory_unlock(8)")
        code = await stopping
        took = time.monotonic() - began
        byes = sum(reader.heard["bye"] for reader in load.streams) - byes_before
        first = [call.answers[0].outcome == "ok" if call.answers else False for call in in_burst(load, HELD)]
        await stage.site.server.start()
    await asyncio.gather(*burst)
    await waited_for(lambda: all(reader.opened > n for reader, n in zip(load.streams, opened, strict=True)), 10)
    stage.promise(f"({BURST} posts were in flight)", waiting >= BURST, waiting, timed=True)
    stage.promise("posts in flight are answered, and yes", *summed_up(first), timed=True)
    stage.promise("its exit code is 0", code == 0, code)
    stage.promise_within("it is gone", took, STOP_SECONDS)
    streams = len(load.streams)
    stage.promise("every stream ends with a word of its own", byes == streams, f"{byes} of {streams}")


async def stopped_and_cut_short(stage: Stage, load: Load) -> None:
    """What was committed when the server was killed was never answered: its poster asks again."""
    server = stage.site.server
    async with load.outage():
        with stage.site.database.as_superuser() as holder:
            holder.execute("SELECT pg_advisory_lock(9)")
            burst = [
                asyncio.create_task(load.say(load.posters[n % 10], room_of(load, n), COMMITTING)) for n in range(BURST)
            ]
            committing = await count_reaches(stage, COMMITS_WAITING, len(load.rooms))
            if server.process:
                server.process.send_signal(signal.SIGTERM)
            await load.goes_on(0.1)
            await server.kill_all()
            holder.execute("SELECT pg_advisory_unlock(9)")
        calls = in_burst(load, COMMITTING)
        cut = sum(call.answers == [] or call.answers[0].outcome == "info" for call in calls)
        committed = await in_thread(count_committed, stage, calls, committing)
        await server.start()
    await asyncio.gather(*burst)
    stage.promise("(posts were in the middle of their commit)", committing > 0, committing)
    stage.promise(
        "no more is committed unanswered than was cut off", 0 < committed <= cut, f"{committed}, {cut} were cut off"
    )
    known = [call for call in calls if call.promised]
    stage.promise("each is answered in the end", len(known) == len(calls), f"{len(known)} of {len(calls)}")


def room_of(load: Load, number: int) -> str:
    return load.rooms[number % len(load.rooms)]


def in_burst(load: Load, word: str) -> list[Call]:
    return [call for call in load.history.calls if call.body.endswith(f" {word}")]


async def count_reaches(stage: Stage, question: str, wanted: int) -> int:
    """Wait until a count is as high as this, but no longer than the first may wait for its lock; return it."""
    found, deadline, is_first = 0, time.monotonic() + GATHER_SECONDS, True
    while found < wanted and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
        found = int((await asyncio.to_thread(stage.site.database.execute, question))[0][0])
        if found and is_first:
            deadline, is_first = time.monotonic() + WAITING_SECONDS, False
    return found


def count_committed(stage: Stage, calls: Iterable[Call], wanted: int) -> int:
    """Return how many of these messages are there, once those that were being committed are."""
    keys = ", ".join(f"'{call.key}'" for call in calls)
    question = f"SELECT count(*) FROM messaging_message WHERE split_part(text, ' ', 1) IN ({keys})"  # noqa: S608
    deadline = time.monotonic() + WAITING_SECONDS
    while True:
        found = int(stage.site.database.execute(question)[0][0])
        if found >= wanted or time.monotonic() > deadline:
            return found
        time.sleep(0.02)


@asynccontextmanager
async def commits_can_be_held(stage: Stage) -> AsyncIterator[None]:
    await asyncio.to_thread(stage.site.database.execute, *HOLD_COMMITS)
    try:
        yield
    finally:
        await asyncio.to_thread(stage.site.database.execute, LET_COMMIT)


async def loop_blocked(stage: Stage) -> None:
    """Pings come every PING_TICKS seconds here, so that it is seen in seconds how late they get."""
    async with stage.load() as load:
        await load.goes_on(1 if stage.is_control else 2 * PING_TICKS + 1.5)
        calm = longest_silence(load)
        logged = stage.site.log.stat().st_size
        stalls = []
        for _ in range(1 if stage.is_control else int(stage.lasting(2, 10))):
            workers = stage.site.server.worker_processes()
            for worker in workers[:1] if stage.is_control else workers:  # the other one goes on posting
                worker.send_signal(signal.SIGUSR1)
            stalls.append(await stall(load))
            await load.goes_on(PING_TICKS + 1.5)
        streams_are_live(stage, load)
        late = longest_silence(load) - calm
        with stage.site.log.open("rb") as log:
            log.seek(logged)
            said = b"time.sleep" in log.read()  # the call that blocks it
    blocked = min(stalls) > 0.9 * BLOCKED_SECONDS
    stage.promise("(the loops were blocked: /healthz waited)", blocked, f"{min(stalls):.1f} s at least")
    stage.promise("a watchdog logs it with a stack", said, "logged" if said else "there is none yet")
    stage.promise("(the blocks made pings late)", late > 0.5, f"{late:.2f} s", timed=True)
    stage.promise_within("pings are late", late, LATE_SECONDS)
    stage.promise_within("99 % are shown", stage.trial.p99, BLOCKED_SECONDS + 1)


def longest_silence(load: Load) -> float:
    """Return the longest time between two pings of one stream."""
    gaps = [later - earlier for reader in load.streams for earlier, later in pairwise(reader.pinged_at)]
    return max(gaps, default=0.0)


async def stall(load: Load) -> float:
    """Return how long the server took to say how it is."""
    began = time.monotonic()
    await wire.get(load.port, "/healthz", "")
    return time.monotonic() - began


def streams_are_live(stage: Stage, load: Load) -> None:
    reopened = sum(reader.opened - 1 for reader in load.streams)
    stage.promise("streams stay open", reopened == 0, f"{reopened} were reopened")


FAULTS = [
    Fault(
        "FI-13",
        "SIGTERM with streams open and posts in flight; the same, killed before it is done",
        stopped,
        Control("idempotency off", "duplicated", stopped, without="idempotency", slow=True),
    ),
    Fault(
        "FI-25",
        f"a worker's event loop is blocked for {BLOCKED_SECONDS:g} s",
        loop_blocked,
        Control("reading all up to a wake-up off", "lost", loop_blocked, without="catching up", slow=True),
        without="nothing",
    ),
]
