"""PostgreSQL goes away: restarted, killed, frozen, cut off, or out of connections."""

from __future__ import annotations

import asyncio
import time
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
from tests.faults.history import Answer, Call
from tests.faults.load import Load
from tests.faults.proxy import Relay, upstream_unix
from tests.faults.site import in_thread
from tests.faults.stage import Control, Fault, Stage

ANSWER_SECONDS = 5.0
POOL = 20
SPARE_THREADS = 20


async def restarted(stage: Stage) -> None:
    database = stage.site.database
    async with stage.load() as load:
        await load.goes_on(1)
        async with load.outage():
            await asyncio.to_thread(database.stop)
            await asyncio.to_thread(database.start)
        await load.goes_on(3)
        streams_stayed(stage, load)
    answered_in_time(stage, load)
    stage.promise_within("all is well again", stage.trial.recovery, 3.0)


async def killed(stage: Stage) -> None:
    database = stage.site.database
    async with stage.load() as load:
        # The rooms are there whatever becomes of the messages.
        await in_thread(database.execute, "CHECKPOINT")
        for _ in range(int(stage.lasting(2, 5))):
            await load.goes_on(1.5)
            async with load.outage():
                await asyncio.to_thread(database.kill)
                await asyncio.to_thread(database.start)
        await load.goes_on(3)
        if not stage.is_control:
            streams_stayed(stage, load)
    answered_in_time(stage, load)


async def killed_without_flushing(stage: Stage) -> None:
    reset = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'earshot'"
    execute = stage.site.database.execute
    await in_thread(execute, "ALTER ROLE earshot SET synchronous_commit = off", reset)
    try:
        await killed(stage)
    finally:
        await in_thread(execute, "ALTER ROLE earshot RESET synchronous_commit", reset)


async def frozen(stage: Stage) -> None:
    database = stage.site.database
    async with stage.load() as load:
        await load.goes_on(1)
        before = threads(stage)
        async with load.outage():
            database.freeze()
            try:
                await load.goes_on(stage.lasting(12, 30))
                most = threads(stage)
            finally:
                database.thaw()
        await load.goes_on(3)
        streams_stayed(stage, load)
    answered_in_time(stage, load)
    few = most <= max(before, POOL) + SPARE_THREADS
    stage.promise(f"no process has more than {POOL + SPARE_THREADS} threads", few, f"{before} before, {most} then")


def threads(stage: Stage) -> int:
    return max(worker.num_threads() for worker in stage.site.server.worker_processes())


async def cut_off(stage: Stage) -> None:
    socket = stage.site.database.cluster.socket / f".s.PGSQL.{PORT}"
    async with Relay(upstream_unix(str(socket))) as link:
        address = f"postgresql://earshot@127.0.0.1:{link.port}/earshot"
        async with (
            stage.site.another_server(DATABASE_URL=address, SECRET_KEY=settings.SECRET_KEY) as server,
            stage.load(port=server.port) as load,
        ):
            await load.goes_on(1)
            async with load.outage():
                link.partition()
                await load.goes_on(stage.lasting(14, 60))
                link.heal()
            await load.goes_on(3)
            streams_stayed(stage, load)
    answered_in_time(stage, load)
    stage.promise_within("all is well again", stage.trial.recovery, 30.0)


async def out_of_connections(stage: Stage) -> None:
    async with stage.load() as load:
        await load.goes_on(1)
        said = []
        async with load.outage():
            async with sessions_locked(stage):
                asking = [asyncio.create_task(ask(stage, load.posters[0])) for _ in range(int(stage.lasting(60, 200)))]
                for room in load.rooms:
                    said.append(await in_thread(say_directly, load, load.posters[0], room))
                    await load.goes_on(0.5)
            answers = await asyncio.gather(*asking)
        await load.goes_on(2)
        streams_stayed(stage, load)
    stage.promise("every request is answered", None not in answers, sorted({str(answer) for answer in answers}))
    stage.promise_within("streams show what is said meanwhile", slowest(load, said), 2.5)
    answered_in_time(stage, load)
    stage.promise_within("all is well again", stage.trial.recovery, 1.0)


@asynccontextmanager
async def sessions_locked(stage: Stage) -> AsyncIterator[None]:
    """Every request waits for its session, holding a connection meanwhile; streams need none."""
    with stage.site.database.as_superuser() as opened, opened.transaction():
        opened.execute("LOCK TABLE django_session IN ACCESS EXCLUSIVE MODE")
        yield


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
    stage.promise(f"posts are answered within {ANSWER_SECONDS:g} s", kept, f"{slow:.1f} s at most, {unanswered} never")


FAULTS = [
    Fault("FI-02", "PostgreSQL is restarted", restarted, covered_by="FI-01"),
    Fault(
        "FI-03",
        "PostgreSQL is killed, every process of it at once",
        killed,
        Control("synchronous_commit off", "lost", killed_without_flushing),
    ),
    Fault("FI-04", "PostgreSQL is frozen", frozen, covered_by="FI-01"),
    Fault("FI-05", "PostgreSQL is cut off: packets are dropped", cut_off, covered_by="FI-01"),
    Fault("FI-23", "the connection pool is exhausted", out_of_connections, covered_by="FI-07"),
]
