from __future__ import annotations

import http.client
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import sync_playwright

from rooms.models import Membership, Room
from tests.benchmarks.figures import Figure
from tests.benchmarks.stage import Person, Stage
from tests.benchmarks.ui.pages import Load, Window
from tests.benchmarks.volume import fill
from tests.browser.launch import launched
from tests.served import served
from tests.server import ServerProcess

MESSAGES = 10_000
MESSAGES_FULL = 1_000_000
PEOPLE = 20
TRIES = 200
LOADS = 7
SWITCHES = 30
RESTED_MILLISECONDS = 400  # as a hand takes to find a link and press; a browser fetches ahead after 200
STATIC = Path(__file__).resolve().parents[3] / "project" / "static"

PAGE_MILLISECONDS = 40
SWITCH_MILLISECONDS = 150
LONG_TASK_MILLISECONDS = 100
OWN_KILOBYTES = 120
# What web.dev calls good.
LCP_MILLISECONDS = 2_500
CLS = 0.1


def measure(stage: Stage) -> Iterator[Figure]:
    """Two rooms with nine and one tenths of all messages; the reader has read none of them."""
    total = stage.pick(MESSAGES_FULL, short=MESSAGES)
    people = stage.people(PEOPLE)
    large, small = (stage.room(members=PEOPLE)[0] for _ in range(2))
    stage.say(f"{total:,} messages are written …")
    fill(large, people, total * 9 // 10)
    fill(small, people, total // 10)
    Membership.objects.filter(room__in=[large, small]).update(last_read_position=0)
    with stage.server() as (server, usage):
        stage.say("The server answers …")
        before = usage.cpu
        yield from _answers(server, large, people[1], total)
        yield Figure(
            "the server's work for it, without waiting for others", (usage.cpu - before) / TRIES * 1e3, "ms CPU"
        )
        stage.say("Chromium looks …")
        loads, switches = _looked_at(server, large, small, people[2])
    yield from _switching(switches)
    yield from _loading(loads)
    yield from _weight(loads)


def _answers(server: ServerProcess, room: Room, reader: Person, total: int) -> Iterator[Figure]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    times = []
    for _ in range(TRIES):
        began = time.perf_counter()
        connection.request("GET", f"/rooms/{room.slug}/", headers={"Cookie": reader.cookie})
        response = connection.getresponse()
        response.read()
        times.append((time.perf_counter() - began) * 1e3)
        if response.status != 200:
            raise RuntimeError(f"the room's page was answered with {response.status}")
    connection.close()
    name = f"the server's answer, a room of {total:,} messages"
    yield Figure(f"{name}, p50", statistics.median(times), "ms", bar=PAGE_MILLISECONDS)
    yield Figure(f"{name}, p95", _p95(times), "ms")


def _looked_at(
    server: ServerProcess, large: Room, small: Room, reader: Person
) -> tuple[list[Load], dict[int, list[float]]]:
    """Return the loads of the large room with an empty cache, and the switches by how long the pointer had rested."""
    with sync_playwright() as playwright:
        browser = launched(playwright, is_whole=True)
        loads = []
        for _ in range(LOADS):
            window = Window(browser, server.url, reader.cookie)
            loads.append(window.load(large.slug))
            window.close()
        window = Window(browser, server.url, reader.cookie)
        window.load(large.slug)
        window.await_worker()
        way = [small.slug, large.slug] * (SWITCHES // 2)
        switches = {rested: [window.switch(slug, rested=rested) for slug in way] for rested in (RESTED_MILLISECONDS, 0)}
        browser.close()
    return loads, switches


def _switching(switches: dict[int, list[float]]) -> Iterator[Figure]:
    for rested, times in switches.items():
        how = f"after {rested} ms on its link" if rested else "with the pointer just come"
        name = f"from the click on a room, {how}, to its largest paint"
        yield Figure(f"{name}, p50", statistics.median(times), "ms", bar=SWITCH_MILLISECONDS)
        yield Figure(f"{name}, p95", _p95(times), "ms")


def _loading(loads: list[Load]) -> Iterator[Figure]:
    tasks = [task for load in loads for task in load.tasks]
    longest = [load.longest_cpu for load in loads]
    name = "with an empty cache"
    yield Figure(f"{name}, largest paint (LCP), p50", _median(loads, "lcp"), "ms", bar=LCP_MILLISECONDS)
    yield Figure(f"{name}, layout shift (CLS), worst", max(load.cls for load in loads), "", bar=CLS)
    over = f"tasks over {LONG_TASK_MILLISECONDS} ms in {LOADS} loads"
    yield Figure(f"{name}, {over}", sum(task > LONG_TASK_MILLISECONDS for task in longest), "of CPU", bar=0)
    yield Figure(f"{name}, longest task", max(longest), "ms CPU")
    name = f"{name}, others' time on the core with it"
    yield Figure(f"{name}, {over}", sum(task > LONG_TASK_MILLISECONDS for task in tasks), "", bar=0)
    yield Figure(f"{name}, longest task", max([0.0, *tasks]), "ms")


def _weight(loads: list[Load]) -> Iterator[Figure]:
    sources = [path for path in STATIC.rglob("*") if path.suffix in {".js", ".css"}]
    own = sum(path.stat().st_size for path in sources)
    sent = sum(path.stat().st_size for path in served().values())
    yield Figure(
        "our JavaScript and CSS, what the room's page loads", _median(loads, "size") / 1e3, "KB", bar=OWN_KILOBYTES
    )
    yield Figure("the same, all that is served, of other pages too", sent / 1e3, "KB", bar=OWN_KILOBYTES)
    yield Figure("the same, compressed", _median(loads, "sent") / 1e3, "KB")
    yield Figure("the same, files", _median(loads, "files"), "")
    yield Figure(f"all {len(sources)} sources", own / 1e3, "KB")


def _median(loads: list[Load], name: str) -> float:
    return float(statistics.median(getattr(load, name) for load in loads))


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]
