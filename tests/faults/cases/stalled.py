"""Readers that stop reading, for a while or for good, and readers that vanish."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from math import inf

from project.realtime.hub import RECONCILE_SECONDS
from tests.faults.cases.cursor import MISSED, bulk_post
from tests.faults.deaf import Deaf, look, open_deaf
from tests.faults.history import delays
from tests.faults.load import Load
from tests.faults.proxy import deafen
from tests.faults.readers import StreamReader
from tests.faults.server import Server
from tests.faults.site import in_thread
from tests.faults.stage import Control, Fault, Stage, waited_for
from tests.faults.unsafe_streams import SLOTS

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


async def never_reading(stage: Stage) -> None:
    """Some take no byte at all and are cut off; some doze until their windows are long full, and then read on."""
    deaf_count = DOZING if stage.is_control or stage.is_short else NEVER_READING
    async with stage.load(
        rooms=int(stage.lasting(1, 10)),
        streams=int(stage.lasting(10, 200)),
        query="?format=html",
        filler=6000,
        rate=stage.lasting(40, 100),
        guests=deaf_count + DOZING,
    ) as load:
        healthy = {reader.name for reader in load.streams}
        if not stage.is_control and not stage.is_short:
            await feeds_filled(load)
        warm_at = time.monotonic()
        await load.goes_on(stage.lasting(3, 20))
        before, began = memory(stage), time.monotonic()
        deaf = [
            await open_deaf(load, person, room_of(load, number), reads=False, query="?format=html")
            for number, person in enumerate(load.guests[DOZING:])
        ]
        dozing = await asleep(load)
        if stage.is_control:
            await in_thread(bulk_post, load)  # fills the windows at once
            await load.goes_on(RECONCILE_SECONDS + DOZE_SECONDS)
        else:
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
        timed=True,
    )
    stage.promise(
        f"the others wait as long as before (within a fifth, or less than {QUICK_SECONDS:g} s)",
        slow <= max(1.2 * quick, QUICK_SECONDS),
        f"p99 {quick:.3f} s before, {slow:.3f} s then",
        timed=True,
    )


def room_of(load: Load, number: int) -> str:
    return load.rooms[number % len(load.rooms)]


async def feeds_filled(load: Load) -> None:
    """Have the feeds remember as much as they ever will: that is no growth that a slow reader causes."""
    heads = await in_thread(bulk_post, load)
    await waited_for(lambda: all(reader.cursor >= heads[reader.room] + MISSED for reader in load.streams), FILL_SECONDS)
    for reader in load.streams:  # how long they took to read that flood says nothing
        came_back_now(load, reader)


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


FAULTS = [
    Fault(
        "FI-11",
        "readers that never read, and readers that doze",
        never_reading,
        Control("falling back to the log off", "lost", never_reading, without="falling back", slow=True),
    ),
    Fault(
        "FI-12",
        "readers that vanish without a word, from a server that has no place left",
        vanished,
        Control("giving up the vanished, and polling, off", "lost", vanished, slow=True),
    ),
]
