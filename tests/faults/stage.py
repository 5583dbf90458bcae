"""Where a fault is played: a site, its load, and what is promised; and what came of it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from math import inf
from random import Random
from typing import Any

from messaging.verify import findings
from rooms.models import Room
from tests.faults.history import STALE_SECONDS, VERDICTS, History, Judgement, judge
from tests.faults.load import Load, Shape
from tests.faults.site import Site, forget_connections, in_thread

SETTLE_SECONDS = 20.0
SETTLE_WITHOUT_SAFETY_SECONDS = 5.0  # what is lost then would not come later either
STALE_SECONDS_SHORT = 2 * STALE_SECONDS  # several sites share the machine
SERVER_ERRORS = (500, 501)


class NotHere(Exception):  # noqa: N818 (a reason, not an error)
    """Why this machine can't play the fault, as one sentence."""


@dataclass(frozen=True)
class Promise:
    """One thing the design says of a fault, beside the six counts: what was measured, and whether it was kept.

    One that is `timed` depends on how fast the machine is: the short form, which may share it, only tells of it.
    """

    says: str
    kept: bool
    measured: str
    timed: bool = False


@dataclass
class Trial:
    """One run of one fault or control."""

    acknowledged: int = 0
    counts: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(VERDICTS, 0)))
    repeats: int = 0
    recovery: float = 0.0
    p99: float = 0.0
    worst: float = 0.0
    promises: list[Promise] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    damage: list[str] = field(default_factory=list)  # what `manage.py verify` would say

    @property
    def is_clean(self) -> bool:
        return not any(self.counts.values()) and not self.damage

    def take(self, load: Load, judgement: Judgement, damage: list[str]) -> None:
        self.acknowledged += load.history.acknowledged()
        self.counts.update(judgement.counts())
        self.repeats += load.history.repeats
        self.recovery = max(self.recovery, recovery(load.history))
        self.p99 = max(self.p99, judgement.delay(0.99))
        self.worst = max(self.worst, judgement.delay(1.0))
        self.examples += [f"{fault.verdict}: {fault.says}" for fault in judgement.faults[:5]]
        self.statuses.update(load.statuses)
        self.damage += damage

    def plus(self, other: Trial) -> Trial:
        """Return both as one: sums of what is counted, the worse of what is measured."""
        return Trial(
            acknowledged=self.acknowledged + other.acknowledged,
            counts=Counter({verdict: self.counts[verdict] + other.counts[verdict] for verdict in VERDICTS}),
            repeats=self.repeats + other.repeats,
            recovery=max(self.recovery, other.recovery),
            p99=max(self.p99, other.p99),
            worst=max(self.worst, other.worst),
            promises=self.promises + other.promises,
            examples=self.examples + other.examples,
            statuses=self.statuses + other.statuses,
            damage=self.damage + other.damage,
        )


class Stage:
    """What a case is given. Its loads are judged when they end; their sum is `trial`."""

    def __init__(self, site: Site, shape: Shape, random: Random, *, form: str, is_control: bool) -> None:
        self.site = site
        self.shape = shape
        self.random = random
        self.is_short = form == "short"
        self.is_long = form == "long"
        self.is_control = is_control
        self.trial = Trial()

    @property
    def port(self) -> int:
        return self.site.server.port

    @property
    def settle_seconds(self) -> float:
        return SETTLE_WITHOUT_SAFETY_SECONDS if self.is_control else SETTLE_SECONDS

    @property
    def stale_seconds(self) -> float:
        return STALE_SECONDS_SHORT if self.is_short else STALE_SECONDS

    def lasting(self, short: float, long: float) -> float:
        """Return how long something lasts in this form of the run, in seconds."""
        return long if self.is_long else short

    def find(self, verdict: str, findings: list[str]) -> None:
        """Count what the checker does not see because it is no message."""
        self.trial.counts[verdict] += len(findings)
        self.trial.examples += [f"{verdict}: {says}" for says in findings[:5]]

    def promise(self, says: str, kept: bool, measured: Any, *, timed: bool = False) -> None:
        self.trial.promises.append(Promise(says, kept, str(measured), timed))

    def promise_within(self, says: str, seconds: float, limit: float) -> None:
        self.promise(f"{says} within {limit:g} s", seconds <= limit, f"{seconds:.2f} s", timed=True)

    @asynccontextmanager
    async def load(self, *, port: int | None = None, reading_port: int | None = None, honours_retry: bool = False,
                   **shape: Any) -> AsyncIterator[Load]:  # fmt: skip
        """Have posters and readers at work inside the block; afterwards let it get quiet, and judge it."""
        wanted = replace(self.shape, **shape)
        people = self.site.people
        posters, others = people[: wanted.posters], people[wanted.posters : wanted.people]
        rooms = await self.site.make_rooms(wanted.rooms, people[: wanted.people])
        load = Load(
            port=port or self.port,
            rooms=[room.slug for room in rooms],
            posters=posters,
            readers=others[wanted.guests :],
            guests=others[: wanted.guests],
            shape=wanted,
            random=self.random,
            reading_port=reading_port,
            honours_retry=honours_retry,
            heads={room.slug: room.last_position for room in rooms},
        )
        try:
            await load.open()
            yield load
            await load.settle(self.settle_seconds)
        finally:
            await load.close()
        self.trial.take(load, judge(load.history, self.stale_seconds), await in_thread(damage, rooms))
        errors = sum(load.statuses[status] for status in SERVER_ERRORS)
        if errors:
            self.promise("no request is answered with 500", False, f"{errors} were")


def damage(rooms: list[Room]) -> list[str]:
    """Return what `manage.py verify` finds in these rooms."""
    forget_connections()
    scope = Room.objects.filter(pk__in=[room.pk for room in rooms])
    return [f"{finding.kind} {finding.room}:{finding.position} {finding.says}" for finding in findings(scope)]


def recovery(history: History) -> float:
    """Return how long after the end of the last fault a post still failed, or something older was still to be shown."""
    healed = history.healed_at
    if healed is None:
        return 0.0
    promised = {call.key: call.promised.at for call in history.calls if call.promised}
    late_posts = [answer.at for call in history.calls for answer in call.answers if answer.outcome == "info"]
    late_shows = [
        shown.at for shown in history.shown if shown.how != "page" and promised.get(shown.key, healed) < healed
    ]
    return max(0.0, max([*late_posts, *late_shows, healed]) - healed)


Play = Callable[[Stage], Awaitable[None]]


@dataclass(frozen=True)
class Control:
    """The same fault with one safety taken off: it must show the verdict, or the harness can't be believed.

    `without` is one of `unsafe_server.SAFETIES`, or None when the play itself takes it off in PostgreSQL. One that is
    `slow`, or of a kind that another shows as well, is left out of the short form.
    """

    safety: str
    verdict: str
    play: Play
    without: str | None = None
    slow: bool = False


@dataclass(frozen=True)
class Fault:
    id: str
    title: str
    play: Play
    control: Control | None = None
    covered_by: str = ""  # without a control: the fault whose control shows that the checker sees such a loss
    without: str | None = None
    on_small_disks: bool = False  # on a site of its own, whose disks can be filled


@dataclass(frozen=True)
class Waiting:
    """A fault for a part that the product does not have yet, or that can't be played."""

    id: str
    title: str
    reason: str


async def waited_for(condition: Callable[[], bool], seconds: float) -> float:
    """Return how long it took until the condition held, or `inf` when it did not within `seconds`."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if condition():
            return time.monotonic() - began
        await asyncio.sleep(0.02)
    return inf
