"""All streams are cut at once and come back, each after the time that the server gave it."""

from __future__ import annotations

import json
import random
import urllib.request
from collections.abc import Iterator

from tests.benchmarks import queries
from tests.benchmarks.delivery import Audience, audience
from tests.benchmarks.figures import Figure
from tests.benchmarks.poster import Poster
from tests.benchmarks.posting import head, post_by_many, post_paced, stream_path
from tests.benchmarks.stage import Stage

STREAMS = 300
STREAMS_FULL = 2_000
FURTHEST_BEHIND = 200
BACK_SECONDS = 30
MOST = 200
WAIT_SECONDS = 60.0
PING_SECONDS = 30.0
AUTHORISATION = 3  # queries: the session, the person, the membership with its room


def measure(stage: Stage) -> Iterator[Figure]:
    streams = stage.pick(STREAMS, short=40, full=STREAMS_FULL)
    with audience(stage, streams, **{queries.ASKED: "yes"}) as listening:
        listening.deliver(
            FURTHEST_BEHIND, lambda: post_by_many(listening.room, listening.people, number=FURTHEST_BEHIND, writers=8)
        )
        listening.usage.settle()
        stage.say(f"  {streams:,} streams are cut, the queries counted …")
        before = _queries(listening.port)
        first = _storm(listening)
        used = (_queries(listening.port) - before) / streams
        yield Figure(
            f"queries per reconnect, {streams:,} streams cut at once", used, "", bar=AUTHORISATION + 1, is_count=True
        )
        if stage.scale != "short":
            listening.crowd.ask("wait_pinged", seconds=PING_SECONDS)  # with it each learns how many they are by now
        stage.say(f"  {streams:,} streams are cut, people post meanwhile …")
        with Poster(listening.port, f"/rooms/{listening.room.slug}/messages/", listening.people[0]) as poster:
            second = _storm(listening)
        seconds, busiest = max(first[0], second[0]), max(first[1], second[1])
        yield Figure(f"{streams:,} streams cut at once are all back after", seconds, "s", bar=BACK_SECONDS)
        yield Figure(f"{streams:,} streams cut at once, most back in a second", busiest, "/s", bar=MOST)
        yield Figure(f"POST meanwhile, p99 of {len(poster.times)}", poster.p99, "ms")


def _storm(listening: Audience) -> tuple[float, int]:
    """Return the seconds until every stream has had all, and one message more that is posted while they are away.

    And how many of them at most came back in one second.
    """
    last = head(listening.room)
    cursors = [last - random.randrange(FURTHEST_BEHIND) for _ in listening.people]  # noqa: S311
    listening.crowd.send(
        "come_back",
        port=listening.port,
        path=stream_path(listening.room),
        cookies=[person.cookie for person in listening.people],
        cursors=cursors,
        position=last + 1,
        seconds=WAIT_SECONDS,
    )
    post_paced(listening.room, listening.people, number=1, rate=1)
    back = listening.crowd.answer()
    if back["missing"]:
        raise RuntimeError(f"{back['missing']} streams did not come back: {back['refused']}")
    return float(back["seconds"]), int(back["busiest"])


def _queries(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/benchmarks/queries/", timeout=60) as answer:
        return int(json.load(answer)["queries"])
