"""Between clients and server: a broken proxy, and readers that come back all at once."""

from __future__ import annotations

import asyncio
import os
import time
from math import inf

import psutil
from django.conf import settings

from tests.faults.browser import Tab, browsing
from tests.faults.load import Load
from tests.faults.proxy import Relay, upstream_tcp
from tests.faults.stage import Control, Fault, Stage, waited_for

BAD_GATEWAY = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
TOO_MANY = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
BANNER_SECONDS = 3.0
LIVE_AGAIN_SECONDS = 10.0
RETURN_MILLISECONDS = 15.0


async def broken_proxy(stage: Stage) -> None:
    """502, then 429, then resets for readers; for posters, answers that get lost on their way."""
    async with (
        Relay(upstream_tcp(stage.port)) as reading,
        Relay(upstream_tcp(stage.port)) as posting,
        stage.load(port=posting.port, reading_port=reading.port, guests=1) as load,
    ):
        await load.goes_on(1)
        posting.swallows_answers_to = b"POST"
        await load.goes_on(2)
        posting.swallows_answers_to = None
        if not stage.is_control:
            async with browsing(load, reading.port, load.guests[0], load.rooms[0]) as tab:
                await refused(stage, load, reading, tab)
    stage.promise("answers were lost", posting.swallowed > 0, posting.swallowed)
    stage.promise_within("all is well again", stage.trial.recovery, LIVE_AGAIN_SECONDS)


async def refused(stage: Stage, load: Load, proxy: Relay, tab: Tab) -> None:
    """What a proxy does while what it stands before is replaced, and how a page comes through."""
    async with load.outage():
        proxy.answer = BAD_GATEWAY
        proxy.cut()
        banner = await tab.shows_banner(LIVE_AGAIN_SECONDS)
        await load.goes_on(stage.lasting(3, 20))
        proxy.answer = TOO_MANY
        proxy.cut()
        await load.goes_on(stage.lasting(3, 20))
        proxy.answer = None
    proxy.refuses = True
    proxy.cut()
    async with load.outage():
        await load.goes_on(1)
        said = await load.say(load.posters[0], load.rooms[0])
        proxy.refuses = False
    began = time.monotonic()
    await tab.shows(said.key)
    await tab.shows_no_banner()
    back = time.monotonic() - began
    await load.pause()
    last = [call for call in load.history.calls if call.room == load.rooms[0] and call.promised][-1]
    await tab.shows(last.key)
    await tab.note_screen()
    stage.promise_within("a page in a browser says that it is not live", banner, BANNER_SECONDS)
    stage.promise_within("it is live again", back, LIVE_AGAIN_SECONDS)
    stage.promise("it was not loaded anew for that", tab.loads == 1, f"loaded {tab.loads} times")


async def all_cut_at_once(stage: Stage) -> None:
    streams = 60 if stage.is_control else int(stage.lasting(250, 2000))
    async with (
        Relay(upstream_tcp(stage.port)) as relay,
        stage.load(streams=streams, reading_port=relay.port, honours_retry=True) as load,
    ):
        await load.goes_on(1)
        load.answer_seconds.clear()
        relay.accepted_at.clear()
        worked, harness_worked = cpu_seconds(stage), own_cpu_seconds()
        began = time.monotonic()
        before = [reader.opened for reader in load.streams]
        async with load.outage():
            cut = relay.cut()
            back = await came_back(load, before, 45)
        worked, harness_worked = cpu_seconds(stage) - worked, own_cpu_seconds() - harness_worked
        connections = await database_connections(stage)
        await load.goes_on(0.5)
        slow = sorted(load.answer_seconds)[int(len(load.answer_seconds) * 0.99)] if load.answer_seconds else inf
        busiest = max(sum(0 <= at - began - second < 1 for at in relay.accepted_at) for second in range(45))
    stage.promise("every stream was cut", cut >= streams, cut)
    stage.promise_within(f"{streams} streams are back", back, 30.0)
    stage.promise("at most 200 come back in a second", busiest <= 200, busiest)
    stage.promise_within("99 % of posts are answered meanwhile", slow, 0.5)
    each = 1000 * worked / streams
    stage.promise(
        f"the server's processes work at most {RETURN_MILLISECONDS:g} ms for each return, posts included",
        each <= RETURN_MILLISECONDS,
        f"{each:.1f} ms, {worked:.1f} s in all; the harness {harness_worked:.1f} s",
        timed=True,
    )
    # A pool for each process and for the harness, and a listener for each process.
    most = (stage.site.server.workers + 1) * settings.DATABASE_POOL + stage.site.server.workers
    stage.promise("they keep to their database connections", connections <= most, f"{connections} of {most}")


def cpu_seconds(stage: Stage) -> float:
    return sum(sum(worker.cpu_times()[:2]) for worker in stage.site.server.worker_processes())


def own_cpu_seconds() -> float:
    return sum(psutil.Process(os.getpid()).cpu_times()[:2])


async def database_connections(stage: Stage) -> int:
    count = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'earshot'"
    return int((await asyncio.to_thread(stage.site.database.execute, count))[0][0])


async def came_back(load: Load, before: list[int], seconds: float) -> float:
    """Return how long it took until every stream was open once more than before."""
    return await waited_for(
        lambda: all(reader.opened > times for reader, times in zip(load.streams, before, strict=True)), seconds
    )


FAULTS = [
    Fault(
        "FI-16",
        "a proxy that answers 502, then 429, then resets, with a browser behind it; answers lost on their way",
        broken_proxy,
        Control("idempotency off", "duplicated", broken_proxy, without="idempotency", slow=True),
    ),
    Fault(
        "FI-17",
        "all readers lose their streams at one instant",
        all_cut_at_once,
        Control("resuming off", "lost", all_cut_at_once, without="resuming", slow=True),
    ),
]
