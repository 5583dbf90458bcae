"""Thousands of streams on one process."""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks.child import Child
from tests.benchmarks.delivery import FLOOR, Audience, audience, raw_writes
from tests.benchmarks.fanout import WARM_UP, compared, delay, deliver
from tests.benchmarks.figures import Figure, middle
from tests.benchmarks.idle import warm_up
from tests.benchmarks.posting import stream_path
from tests.benchmarks.stage import Stage

LARGE = 5_000
MESSAGES = 20
RATE = 2.0  # as many events a second in all as in `fanout`, so that neither server falls behind
LARGEST = 10_000
MEGABYTE = 1024**2


def measure(stage: Stage) -> Iterator[Figure]:
    yield from _large(stage)
    yield from _largest(stage)


def _large(stage: Stage) -> Iterator[Figure]:
    large, messages = stage.pick(LARGE, short=200), stage.pick(MESSAGES, short=30)
    rate = stage.pick(RATE, short=20.0)
    stage.say(f"  {large:,} streams are opened, on Earshot and on the floor …")
    with audience(stage, large) as listening, raw_writes(large) as floor:
        deliver(listening, WARM_UP // 4, rate)
        rounds = []
        for number in range(stage.rounds):
            stage.say(f"  round {number + 1} of {stage.rounds}: {messages} messages, twice …")
            ours = deliver(listening, messages, rate)
            rounds.append((ours, floor.replay(ours.frames, rate)))
    name = f"CPU per delivered event, {large:,} streams, {rate:g} messages/s"
    yield middle(compared(name, ours, other, FLOOR, bar=1.6) for ours, other in rounds)


def _largest(stage: Stage) -> Iterator[Figure]:
    large, largest = stage.pick(LARGE, short=200), stage.pick(LARGEST, short=300)
    room, people = stage.room(largest)
    cookies = [person.cookie for person in people]
    with stage.server() as (server, usage), Child("listeners") as crowd:
        warm_up(server, usage, crowd, stream_path(room), cookies)
        before = usage.memory
        stage.say(f"  {large:,} streams are opened …")
        crowd.ask("open", port=server.port, path=stream_path(room), cookies=cookies[:large])
        usage.settle()
        each = (usage.memory - before) / large / 1024
        yield Figure(f"memory per open stream, {large:,} streams", each, "KB", bar=14)
        stage.say(f"  and {largest - large:,} more …")
        crowd.ask("open", port=server.port, path=stream_path(room), cookies=cookies[large:])
        usage.settle()
        yield Figure(f"memory in all, {largest:,} streams", usage.memory / MEGABYTE, "MB", bar=220)
        run = deliver(Audience(room, people, server.port, crowd, usage), messages=1, rate=1)
        yield delay(run, 0.99, largest, bar=500)
