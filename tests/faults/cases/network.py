"""Between clients and server: readers that stop reading, vanish, meet a broken proxy, or come back all at once."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from math import inf

import psutil
from django.conf import settings

from project.realtime.hub import RECONCILE_SECONDS
from tests.faults.browser import Tab, browsing
from tests.faults.cases.cursor import bulk_post
from tests.faults.deaf import Deaf, look, open_deaf
from tests.faults.history import delays
from tests.faults.load import Load
from tests.faults.proxy import Relay, deafen, upstream_tcp
from tests.faults.readers import StreamReader
from tests.faults.server import Server
from tests.faults.site import in_thread
from tests.faults.stage import Control, Fault, Stage, waited_for
from tests.faults.unsafe_streams import SLOTS

BAD_GATEWAY = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
TOO_MANY = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
NEVER_READING = 50
DOZING = 5
DOZE_SECONDS = 3.0
FILL_SECONDS = 40.0
LOOK_SECONDS = 0.25
CUT_OFF_SECONDS = 10.0
VANISHED = 20
VANISHED_SECONDS = 45.0
LATE_COMERS = 5
GROWTH_MAX = 50 * 1024**2
QUICK_SECONDS = 1.0  # a delay below it says nothing on a machine that the harness keeps busy
BANNER_SECONDS = 3.0
LIVE_AGAIN_SECONDS = 10.0
RETURN_MILLISECONDS = 15.0


async def never_reading(stage: Stage) -> None:
    """Some take no byte at all and are cut off; some doze until their windows are long full, and then read on."""
    deaf_count = DOZING if stage.is_control else NEVER_READING
    async with stage.load(
        rooms=int(stage.lasting(1, 10)),
        streams=int(stage.lasting(10, 200)),
        query="?format=html",
        filler=6000,
        rate=stage.lasting(40, 100),
        guests=deaf_count + DOZING,
    ) as load:
        healthy = {reader.name for reader in load.streams}
        if not stage.is_control:
            await in_thread(bulk_post, load)  # the feeds then remember as much as they ever will
            await load.goes_on(RECONCILE_SECONDS + 2)
        warm_at = time.monotonic()
        await load.goes_on(stage.lasting(3, 20))
        before, began = memory(stage), time.monotonic()
        deaf = [
            await open_deaf(load, person, room_of(load, number), reads=False, query="?format=html")
            for number, person in enumerate(load.guests[DOZING:])
        ]
        dozing = await asleep(load)
        await windows_full(load, deaf)
        growth = memory(stage) - before
        wake(load, dozing)
        while not stage.is_control and look(deaf, load.port) and time.monotonic() - began < 60:
            await load.goes_on(LOOK_SECONDS)
        until, afterwards = time.monotonic(), memory(stage) - before
        for each in deaf:
            each.sock.close()
    outlived = max(each.outlived for each in deaf)
    quick, slow = (p99(load, healthy, *span) for span in ((warm_at, began), (began, until)))
    stage.promise(
        f"memory grows by less than {GROWTH_MAX >> 20} MB while nobody reads",
        growth < GROWTH_MAX,
        f"{growth >> 20} MB, {afterwards >> 20} MB when those who dozed had caught up",
    )
    stage.promise(
        f"each is cut off {CUT_OFF_SECONDS:g} s after its window is full, or a second later",
        outlived <= CUT_OFF_SECONDS + 1,
        f"{min(each.outlived for each in deaf):.1f} to {outlived:.1f} s",
    )
    stage.promise(
        f"the others wait as long as before (within a fifth, or less than {QUICK_SECONDS:g} s)",
        slow <= max(1.2 * quick, QUICK_SECONDS),
        f"p99 {quick:.3f} s before, {slow:.3f} s then",
    )


def room_of(load: Load, number: int) -> str:
    return load.rooms[number % len(load.rooms)]


async def asleep(load: Load) -> list[StreamReader]:
    """Return readers who have opened streams, and take nothing more off them."""
    room = load.rooms[0]
    cursor = max(reader.cursor for reader in load.streams if reader.room == room)
    dozing = [load.add_stream(person, room, query="?format=html", cursor=cursor) for person in load.guests[:DOZING]]
    for reader in dozing:
        await reader.is_open.wait()
        reader.is_awake.clear()
    return dozing


async def windows_full(load: Load, deaf: list[Deaf]) -> None:
    """Let the load run until the windows of those who never read, and so those of the dozing, have been full a while.

    Those who doze are not to be cut off, so it ends well before that.
    """
    began = time.monotonic()
    while not all(each.is_full or each.gone_at for each in deaf) and time.monotonic() - began < FILL_SECONDS:
        look(deaf, load.port)
        await load.goes_on(LOOK_SECONDS)
    await load.goes_on(DOZE_SECONDS)


def wake(load: Load, dozing: list[StreamReader]) -> None:
    for reader in dozing:
        came_back_now(load, reader)
        reader.is_awake.set()


def came_back_now(load: Load, reader: StreamReader) -> None:
    """What the reader is shown late because it looked away is not the server's delay."""
    stay = next(stay for stay in load.history.stays if stay.reader == reader.name)
    load.history.stays.remove(stay)
    load.history.stays.append(replace(stay, came_at=time.monotonic()))


def p99(load: Load, readers: set[str], since: float, until: float) -> float:
    """Return within what time 99 % were shown to these readers in this span."""
    found = sorted(
        delay for delay, shown in delays(load.history) if shown.reader in readers and since <= shown.at < until
    )
    return found[int(len(found) * 0.99)] if found else inf


def memory(stage: Stage) -> int:
    return sum(worker.memory_info().rss for worker in stage.site.server.worker_processes())


async def vanished(stage: Stage) -> None:
    """All of a server's streams are given out; some of their readers vanish, and others want their places."""
    slots = "slots freed" if stage.is_control else "few slots"
    async with (
        serving(stage, slots) as server,
        stage.load(port=server.port, streams=SLOTS - VANISHED, pages=0, guests=VANISHED + LATE_COMERS) as load,
    ):
        deaf = [await open_deaf(load, person, load.rooms[0], reads=True) for person in load.guests[:VANISHED]]
        late = [load.add_stream(person, load.rooms[1], cursor=load.heads[load.rooms[1]])
                for person in load.guests[VANISHED:]]  # fmt: skip
        await load.goes_on(2)
        refused = sum(reader.heard["presence"] == 0 for reader in late)
        if stage.is_long and stage.random.random() < 0.5:
            await load.pause()  # then only the pings tell
        for each in deaf:
            deafen(each.sock)
        began = time.monotonic()
        waits = 25 if stage.is_control else VANISHED_SECONDS + 5
        while time.monotonic() - began < waits and not all(reader.heard["presence"] for reader in late):
            look(deaf, load.port)
            await load.goes_on(0.5)
        took = time.monotonic() - began
        for reader in late:
            came_back_now(load, reader)
        left = look(deaf, load.port)
    for each in deaf:  # not before the readers have been judged: closing is a word
        each.sock.close()
    stage.promise("(the server had no place left)", refused == LATE_COMERS, f"{refused} of {LATE_COMERS} turned away")
    stage.promise_within("their places are given to others", took, VANISHED_SECONDS)
    stage.promise("the server has let go of them all", left == 0, f"{left} left")


@asynccontextmanager
async def serving(stage: Stage, without: str) -> AsyncIterator[Server]:
    """One more server of one process, changed in this way."""
    server = Server(stage.site.log, workers=1, without=without)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


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
        "FI-11",
        "readers that never read, and readers that doze",
        never_reading,
        Control("falling back to the log off", "lost", never_reading, without="falling back"),
    ),
    Fault(
        "FI-12",
        "readers that vanish without a word, from a server that has no place left",
        vanished,
        Control("giving up the vanished off", "lost", vanished),
    ),
    Fault(
        "FI-16",
        "a proxy that answers 502, then 429, then resets, with a browser behind it; answers lost on their way",
        broken_proxy,
        Control("idempotency off", "duplicated", broken_proxy, without="idempotency"),
    ),
    Fault(
        "FI-17",
        "all readers lose their streams at one instant",
        all_cut_at_once,
        Control("resuming off", "lost", all_cut_at_once, without="resuming"),
    ),
]
