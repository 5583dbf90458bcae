"""What it costs to bring a message to everybody in a room, and how long that takes."""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks.delivery import FLOOR, USUAL, Audience, Run, audience, raw_writes, usual_way
from tests.benchmarks.figures import Figure, middle
from tests.benchmarks.posting import post_paced
from tests.benchmarks.stage import Stage

STREAMS = 500
MESSAGES = 160
RATE = 20.0  # messages a second
WARM_UP = 20


def measure(stage: Stage) -> Iterator[Figure]:
    """The same frames to as many streams at the same pace: by Earshot, by raw writes, by the usual way."""
    streams, messages = stage.pick(STREAMS, short=200), stage.pick(MESSAGES, short=30)
    with audience(stage, streams) as listening, raw_writes(streams) as floor, usual_way(streams) as usual:
        deliver(listening, WARM_UP, RATE)
        rounds = []
        for number in range(stage.rounds):
            stage.say(
                f"  round {number + 1} of {stage.rounds}: {messages} messages to {streams} streams, three times …"
            )
            ours = deliver(listening, messages, RATE)
            rounds.append((ours, floor.replay(ours.frames, RATE), usual.replay(ours.frames, RATE)))
    name = f"CPU per delivered event, {streams} streams, {RATE:g} messages/s"
    yield middle(compared(name, ours, other, FLOOR, bar=1.6) for ours, other, _ in rounds)
    yield middle(compared(f"{name}, beside Daphne", ours, other, USUAL, bar=0.25) for ours, _, other in rounds)
    yield middle(delay(ours, 0.50, streams) for ours, _, _ in rounds)
    yield middle(delay(ours, 0.99, streams, bar=60) for ours, _, _ in rounds)


def deliver(listening: Audience, messages: int, rate: float) -> Run:
    return listening.deliver(messages, lambda: post_paced(listening.room, listening.people, number=messages, rate=rate))


def compared(name: str, ours: Run, other: Run, against: str, bar: float) -> Figure:
    return Figure(name, ours.cost, "µs", floor=other.cost, bar=bar, against=against)


def delay(run: Run, share: float, streams: int, bar: float | None = None) -> Figure:
    value = run.delays[int(len(run.delays) * share)]
    return Figure(f"publish to receipt, {streams:,} streams, p{share * 100:.0f}", value, "ms", bar=bar)
