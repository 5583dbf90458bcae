"""PostgreSQL goes away: restarted, killed, frozen, cut off, or out of connections."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from django.conf import settings

from accounts.models import User
from messaging.actions import post_message
from project.cluster import PORT
from rooms.models import Room
from tests.faults import wire
from tests.faults.cast import Person
from tests.faults.history import STALE_SECONDS, Answer, Call
from tests.faults.load import ATTEMPT_SECONDS, Load
from tests.faults.proxy import Relay, upstream_unix
from tests.faults.site import in_thread
from tests.faults.stage import Control, Fault, Stage
from tests.faults.unsafe_database import CROWD

ANSWER_SECONDS = 5.0
IMPATIENT_SECONDS = 1.0
POOL = 20
SPARE_THREADS = 20
REVIVAL_SECONDS = 10.0
AWAY_SECONDS = 4.5  # by then a listener waits 2.5 to 5 s before it tries again


async def restarted(stage: Stage) -> None:
    """The last words are said while the listeners have not come back: no later wake-up tells of them."""
    database = stage.site.database
    async with stage.load() as load:
        await load.goes_on(1)
        if not stage.is_control:
            async with load.outage():
                await asyncio.to_thread(database.stop)
                await asyncio.to_thread(database.start)
            await load.goes_on(3)
        await load.pause()
        for rooms in (load.rooms[::2], load.rooms[1::2]):
            async with load.outage():
                await asyncio.to_thread(database.stop)
                await load.goes_on(stage.lasting(AWAY_SECONDS, 30))
                await asyncio.to_thread(database.start)
            # Elsewhere, at once: the server's own connections may be as late as its listeners.
            await asyncio.gather(*(in_thread(say_directly, load, load.posters[0], room) for room in rooms))
        await load.settle(stage.settle_seconds)
        streams_stayed(stage, load)
    answered_in_time(stage, load)
    stage.promise_within("all is well again", stage.trial.recovery, 3.0)


async def killed(stage: Stage) -> None:
    database = stage.site.database
    async with stage.load() as load:
        # The rooms are there whatever becomes of the messages.
        await in_thread(database.execute, "CHECKPOINT")
        for _ in range(int(stage.lasting(2, 5))):
            await load.goes_on(stage.lasting(1.5, 12))  # one that fell sooner is started again later
            async with load.outage():
                await asyncio.to_thread(database.kill)
                revived = await asyncio.to_thread(database.revived, REVIVAL_SECONDS)
            stage.promise_within("Earshot starts it again", revived, REVIVAL_SECONDS)
        await load.goes_on(3)
        if not stage.is_control:
            streams_stayed(stage, load)
    answered_in_time(stage, load)
    stage.promise_within("all is well again once it answers", stage.trial.recovery, 3.0)


@asynccontextmanager
async def unflushed(stage: Stage) -> AsyncIterator[None]:
    """Commits are acknowledged before they are on disk."""
    reset = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'earshot'"
    execute = stage.site.database.execute
    await in_thread(execute, "ALTER ROLE earshot SET synchronous_commit = off", reset)
    try:
        yield
    finally:
        await asyncio.to_thread(stage.site.database.wait_until_ready)
        await in_thread(execute, "ALTER ROLE earshot RESET synchronous_commit", reset)


async def killed_without_flushing(stage: Stage) -> None:
    async with unflushed(stage):
        await killed(stage)


async def frozen(stage: Stage) -> None:
    """Posts that were answered with 503 may be written when it thaws; they are said again with the same key."""
    database = stage.site.database
    async with stage.load() as load:
        await load.goes_on(1)
        before = threads(stage)
        given_up = await blinked(stage, load)
        if stage.is_control:
            return
        async with load.outage():
            database.freeze()
            try:
                page = asyncio.create_task(wire.get(stage.port, "/rooms/", load.readers[0].session))
                await load.goes_on(stage.lasting(12, 30))
                most = threads(stage)
            finally:
                database.thaw()
        await load.goes_on(3)
        streams_stayed(stage, load)
        status = (await page).status
    answered_in_time(stage, load)
    stage.promise("(posters gave up and asked again)", given_up > 0, given_up)
    stage.promise("pages are answered with 503 meanwhile", status == 503, status)
    few = most <= max(before, POOL) + SPARE_THREADS
    stage.promise(f"no process has more than {POOL + SPARE_THREADS} threads", few, f"{before} before, {most} then")


async def blinked(stage: Stage, load: Load) -> int:
    """Freeze it until posters have lost patience; what they asked for is written all the same. Return how many have."""
    load.patience = IMPATIENT_SECONDS
    async with load.outage():
        stage.site.database.freeze()
        await load.goes_on(2 * IMPATIENT_SECONDS)
        stage.site.database.thaw()
    load.patience = ATTEMPT_SECONDS
    await load.goes_on(IMPATIENT_SECONDS)  # the last of them asked just now
    return load.statuses.pop(0, 0)


def threads(stage: Stage) -> int:
    return max(worker.num_threads() for worker in stage.site.server.worker_processes())


async def cut_off(stage: Stage) -> None:
    """What is said elsewhere meanwhile is announced to nobody here; the old connections do not come back."""
    socket = stage.site.database.cluster.socket / f".s.PGSQL.{PORT}"
    async with Relay(upstream_unix(str(socket))) as link:
        address = f"postgresql://earshot@127.0.0.1:{link.port}/earshot"
        async with (
            stage.site.another_server(DATABASE_URL=address, SECRET_KEY=settings.SECRET_KEY) as server,
            stage.load(port=server.port) as load,
        ):
            await load.goes_on(1)
            if stage.is_control:
                await load.pause()
            async with load.outage():
                link.partition()
                await load.goes_on(stage.lasting(2 if stage.is_control else 14, 60))
                await asyncio.gather(*(in_thread(say_directly, load, load.posters[0], room) for room in load.rooms))
                if not stage.is_long:
                    link.cut()  # sooner than they would be given up
                link.heal()
            await load.goes_on(3)
            if not stage.is_control:
                streams_stayed(stage, load)
    answered_in_time(stage, load)
    stage.promise_within("all is well again", stage.trial.recovery, 30.0)


async def out_of_connections(stage: Stage) -> None:
    """Nothing excuses a stream that is late: it needs none of the connections that have run out."""
    async with stage.load() as load:
        await load.goes_on(1)
        said = []
        async with load.outage(excuses=False):
            async with sessions_locked(stage):
                locked = time.monotonic()
                crowd = [
                    asyncio.create_task(keep_asking(stage, load.posters[0], locked)) for _ in range(crowd_of(stage))
                ]
                await load.goes_on(0.5)
                for room in load.rooms:
                    said.append(await in_thread(say_directly, load, load.posters[0], room))
                    await load.goes_on(0.5)
                await load.goes_on(max(0.0, locked + locked_seconds(stage) - time.monotonic()))
            answers = [answer for one in await asyncio.gather(*crowd) for answer in one]
        await load.goes_on(2)
        streams_stayed(stage, load)
    counted = Counter(str(answer) for answer in answers)
    stage.promise("every request is answered", None not in answers, dict(sorted(counted.items())))
    stage.promise("requests are refused with 503", counted["503"] >= POOL, counted["503"])
    stage.promise_within("streams show what is said meanwhile", slowest(load, said), 2.5)
    answered_in_time(stage, load)
    stage.promise_within("all is well again", stage.trial.recovery, 1.0)


def crowd_of(stage: Stage) -> int:
    return 2 * CROWD + 40 if stage.is_control else int(stage.lasting(60, 200))


def locked_seconds(stage: Stage) -> float:
    return STALE_SECONDS + 4 if stage.is_control else stage.lasting(4, 20)


@asynccontextmanager
async def sessions_locked(stage: Stage) -> AsyncIterator[None]:
    """Every request waits for its session, holding a connection meanwhile; streams need none."""
    with stage.site.database.as_superuser() as opened, opened.transaction():
        opened.execute("LOCK TABLE django_session IN ACCESS EXCLUSIVE MODE")
        yield


async def keep_asking(stage: Stage, person: Person, since: float) -> list[int | None]:
    """Ask again as soon as there is an answer, while the sessions are locked; returns the answers."""
    answers = [await ask(stage, person)]
    while time.monotonic() - since < locked_seconds(stage) - 1:
        answers.append(await ask(stage, person))
    return answers


async def ask(stage: Stage, person: Person) -> int | None:
    try:
        return (await wire.get(stage.port, "/rooms/", person.session, seconds=30)).status
    except OSError:
        return None


def say_directly(load: Load, person: Person, slug: str) -> Call:
    """Post by the action itself, in this process."""
    call = load.new_call(person, slug)
    author = User.objects.get(username=person.name)
    posted = post_message(Room.objects.get(slug=slug), author=author, text=call.body, client_id=UUID(call.key))
    call.answers.append(Answer("ok", time.monotonic(), posted.message.position))
    return call


def slowest(load: Load, calls: list[Call]) -> float:
    promised = {call.key: call.promised.at for call in calls if call.promised}
    return max(
        shown.at - promised[shown.key] for shown in load.history.shown if shown.key in promised and shown.how != "page"
    )


def streams_stayed(stage: Stage, load: Load) -> None:
    reopened = sum(reader.opened - 1 for reader in load.streams)
    stage.promise("streams stay open", reopened == 0, f"{reopened} of {len(load.streams)} were reopened")


def answered_in_time(stage: Stage, load: Load) -> None:
    slow = max(load.answer_seconds, default=0.0)
    unanswered = load.statuses[0]
    kept = slow <= ANSWER_SECONDS and not unanswered
    stage.promise(
        f"posts are answered within {ANSWER_SECONDS:g} s", kept, f"{slow:.1f} s at most, {unanswered} never", timed=True
    )


FAULTS = [
    Fault(
        "FI-02",
        "PostgreSQL is restarted; the last words are said before its listeners are back",
        restarted,
        Control("reconciliation off", "lost", restarted, without="reconciliation", slow=True),
    ),
    Fault(
        "FI-03",
        "PostgreSQL is killed, every process of it at once",
        killed,
        Control("synchronous_commit off", "lost", killed_without_flushing),
    ),
    Fault(
        "FI-04",
        "PostgreSQL is frozen",
        frozen,
        Control("idempotency off", "duplicated", frozen, without="idempotency", slow=True),
    ),
    Fault(
        "FI-05",
        "PostgreSQL is cut off: packets are dropped",
        cut_off,
        Control("reconciliation off", "lost", cut_off, without="reconciliation", slow=True),
    ),
    Fault(
        "FI-23",
        "the connection pool is exhausted",
        out_of_connections,
        Control("streams without a connection of their own", "stale", out_of_connections, without="reserve", slow=True),
    ),
]
