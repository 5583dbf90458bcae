"""Many messages as fast as they can be posted. Frames that are queued together should go out in one write."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.benchmarks.delivery import FLOOR, Audience, Rival, audience, raw_writes
from tests.benchmarks.fanout import WARM_UP, compared, deliver
from tests.benchmarks.figures import Figure, middle
from tests.benchmarks.posting import post_at_once, post_by_many
from tests.benchmarks.stage import Stage

STREAMS = 200
MESSAGES = 200
WRITERS = 8
AT_ONCE = 0.0  # no pace

Posting = Callable[[Audience], None]


def measure(stage: Stage) -> Iterator[Figure]:
    """The floor writes every frame to every stream in a turn of its loop of its own, as if they came singly."""
    streams = stage.pick(STREAMS, short=150)
    with audience(stage, streams) as listening, raw_writes(streams) as floor:
        deliver(listening, WARM_UP, rate=20)
        yield _compared(f"{WRITERS} writers at once", listening, floor, _by_many, stage.rounds)
        yield _compared("committed at once", listening, floor, _in_one_instant, stage.rounds)


def _by_many(listening: Audience) -> None:
    post_by_many(listening.room, listening.people, number=MESSAGES, writers=WRITERS)


def _in_one_instant(listening: Audience) -> None:
    post_at_once(listening.room, listening.people, number=MESSAGES)


def _compared(how: str, listening: Audience, floor: Rival, posting: Posting, rounds: int) -> Figure:
    name = f"burst of {MESSAGES} messages to {len(listening.people)} streams, {how}"
    figures = []
    for _ in range(rounds):
        ours = listening.deliver(MESSAGES, lambda: posting(listening))
        figures.append(compared(name, ours, floor.replay(ours.frames, AT_ONCE), FLOOR, bar=1.0))
    return middle(figures)
