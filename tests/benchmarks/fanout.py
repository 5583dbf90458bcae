"""What it costs to bring a message to everybody in a room, and how long that takes."""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks import delivery
from tests.benchmarks.delivery import Audience, Run
from tests.benchmarks.figures import Figure, worse
from tests.benchmarks.posting import post_paced
from tests.benchmarks.stage import Stage

STREAMS = 500
WARM_UP = 20  # messages


def measure(stage: Stage) -> Iterator[Figure]:
    yield from compare(stage, streams=STREAMS, messages=160, rate=20)


def compare(stage: Stage, *, streams: int, messages: int, rate: float) -> Iterator[Figure]:
    """The same frames to as many streams at the same pace: by Earshot, by raw writes, by the usual way; twice each."""
    where = f"{streams:,} streams, {rate:g} messages/s"
    with delivery.audience(stage, streams) as audience:
        _deliver(audience, WARM_UP, rate)
        stage.say(f"  {where}: Earshot, twice …")
        ours = [_deliver(audience, messages, rate) for _ in range(2)]
    stage.say(f"  {where}: raw writes, twice …")
    with delivery.raw_writes(streams) as rival:
        floors = [rival.replay(run.frames, rate) for run in ours]
    yield _compared(f"CPU per delivered event, {where}", ours, floors, delivery.FLOOR, bar=1.6)
    stage.say(f"  {where}: the usual way, twice …")
    with delivery.usual_way(streams) as rival:
        usual = [rival.replay(run.frames, rate) for run in ours]
    yield _compared(f"CPU per delivered event, {where}", ours, usual, delivery.USUAL, bar=0.25)
    yield worse(*(_delay(run, streams, 0.50, bar=None) for run in ours))
    yield worse(*(_delay(run, streams, 0.99, bar=60) for run in ours))


def _deliver(audience: Audience, messages: int, rate: float) -> Run:
    return audience.deliver(messages, lambda: post_paced(audience.room, audience.people, number=messages, rate=rate))


def _compared(name: str, ours: list[Run], theirs: list[Run], against: str, bar: float) -> Figure:
    return worse(
        *(
            Figure(name, run.cost, "µs", floor=other.cost, bar=bar, against=against)
            for run, other in zip(ours, theirs, strict=True)
        )
    )


def _delay(run: Run, streams: int, share: float, bar: float | None) -> Figure:
    value = run.delays[int(len(run.delays) * share)]
    return Figure(f"publish to receipt, {streams:,} streams, p{share * 100:.0f}", value, "ms", bar=bar)
