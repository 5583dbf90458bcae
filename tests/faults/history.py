"""The history checker: what posters were told and what readers were shown, judged after the fact.

It knows nothing of the product. A poster logs its calls: a key (one message, however often it is tried again) with
what the last answer was. A reader logs what its screen showed, in order. Positions number a room's log.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, NamedTuple

How = Literal["live", "replay", "page"]
Outcome = Literal["ok", "fail", "info"]
VERDICTS = ("lost", "phantom", "duplicated", "reordered", "stale", "leaked")
STALE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of one attempt. `ok` is a promise, `fail` a definite refusal, `info` may have been either (a reset)."""

    outcome: Outcome
    at: float
    position: int | None = None


@dataclass(slots=True)
class Call:
    """One message that a poster wanted to say, `began` being when it was first tried."""

    poster: str
    room: str
    key: str
    body: str
    began: float
    answers: list[Answer] = field(default_factory=list)

    @property
    def promised(self) -> Answer | None:
        return next((answer for answer in self.answers if answer.outcome == "ok"), None)

    @property
    def was_refused(self) -> bool:
        """Whether nothing may have come of it: every attempt was refused."""
        return bool(self.answers) and all(answer.outcome == "fail" for answer in self.answers)


class Shown(NamedTuple):
    reader: str
    room: str
    position: int
    key: str
    body: str
    how: How
    at: float


@dataclass(frozen=True, slots=True)
class Stay:
    """A reader's right to a room: its log after `first`, up to and including `last` (None: to the end).

    `always_there` readers must have been shown everything in it; others (who came and went) only nothing beyond it.
    """

    reader: str
    room: str
    first: int = 0
    last: int | None = None
    always_there: bool = True
    came_at: float = 0.0  # delays count from then on

    def covers(self, position: int) -> bool:
        return self.first < position and (self.last is None or position <= self.last)


@dataclass(slots=True)
class History:
    """`shown` is in the order of arrival for each reader. `final` is every room read by page once all is quiet."""

    calls: list[Call] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)
    stays: list[Stay] = field(default_factory=list)
    final: list[Shown] = field(default_factory=list)
    # While a fault lasts nobody can be shown anything: delays count from its end. (began, healed)
    outages: list[tuple[float, float]] = field(default_factory=list)
    healed_at: float | None = None  # when the last cause was taken away, also of what is no excuse for a delay
    repeats: int = 0  # sent again on the wire and dropped by the reader, which is no failure

    def acknowledged(self) -> int:
        return sum(call.promised is not None for call in self.calls)


class Fault(NamedTuple):
    verdict: str
    says: str


@dataclass(frozen=True, slots=True)
class Judgement:
    faults: list[Fault]
    delays: list[float]  # seconds from the later of acknowledgement and recovery to the screen, ascending

    def count(self, verdict: str) -> int:
        return sum(fault.verdict == verdict for fault in self.faults)

    def counts(self) -> dict[str, int]:
        return {verdict: self.count(verdict) for verdict in VERDICTS}

    def delay(self, fraction: float) -> float:
        """Return the delay that this fraction of all that was shown kept below."""
        return self.delays[min(len(self.delays) - 1, int(len(self.delays) * fraction))] if self.delays else 0.0


def judge(history: History, stale_after: float = STALE_SECONDS) -> Judgement:
    checks: tuple[Callable[[History], Iterable[Fault]], ...] = (
        lost,
        phantom,
        duplicated,
        reordered,
        leaked,
        lambda history: stale(history, stale_after),
    )
    faults = [fault for check in checks for fault in check(history)]
    return Judgement(faults, sorted(delay for delay, _ in delays(history)))


def lost(history: History) -> Iterator[Fault]:
    """Acknowledged and not there in the end; or not shown to somebody who was there; or seen, then unseen."""
    kept = {shown.key for shown in history.final}
    for call in history.calls:
        if call.promised and call.key not in kept:
            yield Fault("lost", f"{call.key} was acknowledged and is not in {call.room}")
    for shown in history.shown:
        if shown.key not in kept:
            yield Fault("lost", f"{shown.key} was shown to {shown.reader} and is not in {shown.room} any more")
    yield from _never_shown(history)


def _never_shown(history: History) -> Iterator[Fault]:
    seen_by = defaultdict(set)
    for shown in history.shown:
        seen_by[shown.reader, shown.room].add(shown.key)
    log_of = defaultdict(list)
    for shown in history.final:
        log_of[shown.room].append(shown)
    for stay in history.stays:
        for shown in log_of[stay.room] if stay.always_there else ():
            if stay.covers(shown.position) and shown.key not in seen_by[stay.reader, stay.room]:
                yield Fault("lost", f"{shown.key} was never shown to {stay.reader} in {stay.room}")


def phantom(history: History) -> Iterator[Fault]:
    """Never said, said otherwise or elsewhere, or there although it was refused."""
    calls = {call.key: call for call in history.calls}
    for shown in _everything(history):
        call = calls.get(shown.key)
        if call is None:
            yield Fault("phantom", f"{shown.key} in {shown.room} was never posted")
        elif (call.room, call.body) != (shown.room, shown.body):
            yield Fault("phantom", f"{shown.key} in {shown.room} is not what was posted")
        elif call.was_refused:
            yield Fault("phantom", f"{shown.key} was refused and is shown in {shown.room}")


def duplicated(history: History) -> Iterator[Fault]:
    """One key in two places, promised two places, or one position twice on one screen."""
    places = defaultdict(set)
    for shown in history.final:
        places[shown.key].add((shown.room, shown.position))
    for call in history.calls:
        places[call.key] |= {
            (call.room, answer.position) for answer in call.answers if answer.outcome == "ok" and answer.position
        }
    for key, found in places.items():
        if len(found) > 1:
            yield Fault("duplicated", f"{key} stands at {sorted(found)}")
    screens = Counter((shown.reader, shown.room, shown.position) for shown in history.shown)
    for (reader, room, position), times in screens.items():
        if times > 1:
            yield Fault("duplicated", f"{reader} was shown {room}:{position} {times} times")


def reordered(history: History) -> Iterator[Fault]:
    """Readers that disagree on a position, a screen that runs backwards, or a poster's own words out of order."""
    agreed: dict[tuple[str, int], str] = {}
    for shown in _everything(history):
        if agreed.setdefault((shown.room, shown.position), shown.key) != shown.key:
            yield Fault("reordered", f"{shown.room}:{shown.position} is {shown.key} to {shown.reader} only")
    for (reader, room), screen in _by_screen(history.shown).items():
        for before, after in pairwise(screen):
            if after.position < before.position:
                yield Fault("reordered", f"{reader} was shown {room}:{after.position} after {before.position}")
    yield from _own_words_out_of_order(history)


def _own_words_out_of_order(history: History) -> Iterator[Fault]:
    positions = {shown.key: shown.position for shown in history.final}
    said = defaultdict(list)
    for call in history.calls:
        if call.promised and call.key in positions:
            said[call.poster, call.room].append(call)
    for (poster, room), calls in said.items():
        for before, after in pairwise(sorted(calls, key=lambda call: call.began)):
            was_done = before.promised and before.promised.at <= after.began
            if was_done and positions[after.key] < positions[before.key]:
                yield Fault("reordered", f"{poster} said {before.key} before {after.key} in {room}")


def stale(history: History, stale_after: float) -> Iterator[Fault]:
    """Shown later than `stale_after` seconds after it could be."""
    for delay, shown in delays(history):
        if delay > stale_after:
            yield Fault("stale", f"{shown.reader} was shown {shown.room}:{shown.position} after {delay:.1f} s")


def delays(history: History) -> Iterator[tuple[float, Shown]]:
    """Yield for all that streams showed how long it took: from when all of this was true at last.

    It was acknowledged, its reader had come, and no fault was under way.
    """
    promised = {call.key: call.promised.at for call in history.calls if call.promised}
    came_at = {(stay.reader, stay.room): stay.came_at for stay in history.stays}
    for shown in history.shown:
        if shown.key in promised and shown.how != "page":
            possible = max(promised[shown.key], came_at.get((shown.reader, shown.room), 0.0))
            for began, healed in history.outages:
                if began <= shown.at and possible <= healed:
                    possible = max(possible, min(healed, shown.at))
            yield max(0.0, shown.at - possible), shown


def leaked(history: History) -> Iterator[Fault]:
    """Shown to somebody who had no right to it when it was committed."""
    stays = defaultdict(list)
    for stay in history.stays:
        stays[stay.reader, stay.room].append(stay)
    for shown in history.shown:
        if not any(stay.covers(shown.position) for stay in stays[shown.reader, shown.room]):
            yield Fault("leaked", f"{shown.reader} was shown {shown.room}:{shown.position}")


def _everything(history: History) -> Iterator[Shown]:
    yield from history.final
    yield from history.shown


def _by_screen(shown: Iterable[Shown]) -> dict[tuple[str, str], list[Shown]]:
    screens = defaultdict(list)
    for each in shown:
        screens[each.reader, each.room].append(each)
    return screens
