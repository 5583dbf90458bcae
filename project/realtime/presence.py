"""Who is here: the viewers of one log, over all processes.

Each process tells the others, on the log's channel, whom it serves: when that changes, when another one asks, and every
PULSE_SECONDS. What a process told decays when it is not told again, so that a process that died takes its viewers
along and no count can drift.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from project.realtime import sse

PULSE_SECONDS = 15.0
DECAY_SECONDS = 40.0
GRACE_SECONDS = 5.0  # a page that is loaded again is not shown to leave
NAMED_MAX = 100  # viewers named in a frame; the count is always whole
REPORTED_MAX = 500  # viewers named to other processes: a NOTIFY holds less than 8,000 bytes
CROWD_SECONDS = 5.0  # how often, at most, a log with more viewers than are named is told of a change


@dataclass(frozen=True, slots=True)
class _Report:
    viewers: frozenset[int]
    unnamed: int
    heard_at: float


class Presence:
    """The viewers of one log. Times are seconds of `time.monotonic()`."""

    def __init__(self, process: str) -> None:
        self._process = process
        self._here: Counter[int] = Counter()
        self._leaving: dict[int, float] = {}
        self._elsewhere: dict[str, _Report] = {}
        self._reported: set[int] | None = None
        self._reported_at = 0.0
        self._is_asked = False
        self._shown: tuple[int, list[int]] | None = None
        self._shown_at = 0.0
        self.frame: bytes | None = None

    def join(self, viewer: int) -> None:
        self._here[viewer] += 1

    def leave(self, viewer: int, now: float) -> None:
        self._here[viewer] -= 1
        if self._here[viewer] <= 0:
            del self._here[viewer]
            self._leaving[viewer] = now

    def hear(self, report: dict[str, Any], now: float) -> None:
        """Take what a process told. Raises `KeyError`, `TypeError` or `ValueError` for what no process tells."""
        process = str(report["process"])
        if process == self._process:
            return
        viewers = frozenset(int(viewer) for viewer in report["viewers"])
        self._elsewhere[process] = _Report(viewers, int(report["unnamed"]), now)
        self._is_asked = self._is_asked or bool(report["asks"])

    def report_due(self, now: float) -> str | None:
        """Return the payload that tells the other processes whom this one serves, when it is time to."""
        viewers = self._viewers_here(now)
        if viewers == self._reported and now - self._reported_at < PULSE_SECONDS and not self._is_asked:
            return None
        asks = self._reported is None
        self._reported, self._reported_at, self._is_asked = viewers, now, False
        named = sorted(viewers)[:REPORTED_MAX]
        report = {"process": self._process, "viewers": named, "unnamed": len(viewers) - len(named), "asks": asks}
        return json.dumps({"presence": report}, separators=(",", ":"))

    def frame_due(self, now: float) -> bytes | None:
        """Return the frame that tells who is here, when that has changed since the last one."""
        self._elsewhere = {
            process: report
            for process, report in self._elsewhere.items()
            if now - report.heard_at < DECAY_SECONDS and (report.viewers or report.unnamed)
        }
        everywhere = self._viewers_here(now).union(*(report.viewers for report in self._elsewhere.values()))
        count = len(everywhere) + sum(report.unnamed for report in self._elsewhere.values())
        state = (count, sorted(everywhere)[:NAMED_MAX])
        if state == self._shown or (count > NAMED_MAX and now - self._shown_at < CROWD_SECONDS):
            return None
        self._shown, self._shown_at = state, now
        self.frame = sse.frame("presence", {"count": count, "here": state[1]})
        return self.frame

    def _viewers_here(self, now: float) -> set[int]:
        self._leaving = {viewer: at for viewer, at in self._leaving.items() if now - at < GRACE_SECONDS}
        return {*self._here, *self._leaving}
