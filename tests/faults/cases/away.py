"""Readers who were away for long: a page is told once to load anew, a program is sent everything."""

from __future__ import annotations

import asyncio
import time

from tests.faults.browser import Tab, browsing
from tests.faults.cases.cursor import MISSED, bulk_post, summed_up
from tests.faults.load import STREAMS_PER_PERSON, Load
from tests.faults.proxy import Relay, upstream_tcp
from tests.faults.site import in_thread
from tests.faults.stage import Control, Fault, Stage

ROOMS = 20
ROOMS_SHORT = 3
ROOMS_OF_CONTROL = 2
FLAPS = 3
FLAP_SECONDS = 2.0
BACK_SECONDS = 10.0


async def away_for_days(stage: Stage) -> None:
    """More than REPLAY_MAX messages are missed in every room; then the network flaps."""
    rooms = ROOMS_OF_CONTROL if stage.is_control else ROOMS_SHORT if stage.is_short else ROOMS
    guests = -(-rooms // STREAMS_PER_PERSON)
    async with (
        Relay(upstream_tcp(stage.port)) as relay,
        stage.load(
            reading_port=relay.port, rooms=rooms, posters=4, streams=0, pages=0, rate=8, guests=guests + 2
        ) as load,
    ):
        await load.pause()
        if stage.is_control:
            await slept(stage, load, relay, None)
        else:
            async with browsing(load, relay.port, load.guests[-1], load.rooms[0]) as tab:
                await slept(stage, load, relay, tab)
        await load.settle(stage.settle_seconds)


async def slept(stage: Stage, load: Load, relay: Relay, tab: Tab | None) -> None:
    relay.refuses = True
    relay.cut()
    heads = await in_thread(bulk_post, load)
    relay.refuses = False
    back_at = time.monotonic()
    pages = [
        load.add_stream(load.guests[number // STREAMS_PER_PERSON], room, query="?format=html", cursor=heads[room])
        for number, room in enumerate(load.rooms)
    ]
    programs = [load.add_stream(load.guests[-2], room, cursor=heads[room]) for room in load.rooms[:STREAMS_PER_PERSON]]
    if tab:
        await came_back(stage, load, tab, back_at)
    for _ in range(FLAPS):
        await load.goes_on(FLAP_SECONDS)
        relay.cut()
    await asyncio.gather(*(load.say(load.posters[0], room) for room in load.rooms))
    last = load.history.calls[-len(load.rooms)]
    if tab:
        await tab.shows(last.key)
        await tab.note_screen()
        stage.promise("a page in a browser loads itself anew once", tab.loads == 2, f"loaded {tab.loads} times")
    await load.settle(stage.settle_seconds)
    resets = {reader.heard["reset"] for reader in pages}
    stage.promise("each page is told once to load anew", resets == {1}, sorted(resets))
    stage.promise("programs never are", *summed_up([not reader.heard["reset"] for reader in programs]))


async def came_back(stage: Stage, load: Load, tab: Tab, back_at: float) -> None:
    """The page in a browser loads itself anew, and its sidebar says at once what is unread."""
    missed = [call for call in load.history.calls if call.room == load.rooms[0]][-MISSED:]
    await tab.shows(missed[0].key)
    took = time.monotonic() - back_at
    unread = await tab.unread() & set(load.rooms)
    await tab.go_to_newest()
    await tab.shows(missed[-1].key)
    await tab.has_to_show_from_here()
    stage.promise_within("it shows where what was missed begins", took, BACK_SECONDS)
    stage.promise(
        "its sidebar says at once that all other rooms are unread",
        unread == set(load.rooms[1:]),
        f"{len(unread)} of {len(load.rooms) - 1} rooms",
    )


FAULTS = [
    Fault(
        "FI-26",
        f"readers away for days, {ROOMS * MISSED:,} messages in {ROOMS} rooms; then a flapping network",
        away_for_days,
        Control("replay from the table off", "lost", away_for_days, without="replay", slow=True),
    )
]
