"""What came of a run: var/faults.json, and RELIABILITY.md made from the same data."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from tests.faults.history import STALE_SECONDS, VERDICTS
from tests.faults.stage import Fault, Promise, Trial, Waiting
from tests.server import ROOT

JSON = ROOT / "var" / "faults.json"
PAGE = ROOT / "RELIABILITY.md"


@dataclass
class Row:
    """A fault over all its runs. `broken` says why a run could not be played to its end."""

    id: str
    title: str
    runs: int = 0
    trial: Trial = field(default_factory=Trial)
    safety: str = ""
    expects: str = ""
    control: Trial | None = None
    calm: Trial | None = None  # the server that lacks the control's safety, with no fault done to it
    seconds: float = 0.0
    covered_by: str = ""
    waiting: str = ""
    broken: str = ""
    forgives_time: bool = False  # what a busy machine may be the reason of is told, and no failure

    @classmethod
    def of(cls, fault: Fault | Waiting, waiting: str = "") -> Row:
        if isinstance(fault, Waiting):
            return cls(fault.id, fault.title, waiting=fault.reason)
        control = fault.control
        return cls(
            fault.id,
            fault.title,
            safety=control.safety if control else "",
            expects=control.verdict if control else "",
            covered_by=fault.covered_by,
            waiting=waiting,
        )

    @property
    def state(self) -> str:
        if self.waiting:
            return "waiting"
        if self.broken or not self.runs:
            return "broken"
        is_well = self.trial.is_clean and self.control_failed and self.calm_is_clean and not self.missed
        return "clean" if is_well else "failed"

    @property
    def control_failed(self) -> bool:
        """Whether the control showed what it must; a fault that has one and did not play it is not believed."""
        return not self.expects or (self.control is not None and self.control.counts[self.expects] > 0)

    @property
    def calm_is_clean(self) -> bool:
        """Whether the control failed by the fault, not by itself. A log without its safety may well look damaged."""
        return self.calm is None or not any(self.calm.counts.values())

    @property
    def missed(self) -> list[str]:
        """The promises that were not kept, each with what was measured, once."""
        return self._not_kept(lambda promise: not (self.forgives_time and promise.timed))

    @property
    def forgiven(self) -> list[str]:
        return self._not_kept(lambda promise: self.forgives_time and promise.timed)

    def _not_kept(self, counts: Callable[[Promise], bool]) -> list[str]:
        return list(
            {f"{each.says}: {each.measured}": None for each in self.trial.promises if not each.kept and counts(each)}
        )

    def as_data(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "title": self.title,
            "state": self.state,
            "runs": self.runs,
            **_trial_data(self.trial),
            "seconds": round(self.seconds, 1),
            "calm": self.calm and _trial_data(self.calm),
            "control": self.control and {"safety": self.safety, "expects": self.expects, **_trial_data(self.control)},
            "covered_by": self.covered_by or None,
            "waiting": self.waiting or None,
            "broken": self.broken or None,
        }

    @classmethod
    def from_data(cls, fault: Fault, data: dict[str, Any]) -> Row:
        row = cls.of(fault)
        row.runs, row.trial = data["runs"], _trial_from(data)
        row.control = _trial_from(data["control"]) if data["control"] else None
        row.seconds, row.calm = data["seconds"], _trial_from(data["calm"]) if data["calm"] else None
        row.waiting, row.broken = data["waiting"] or "", data["broken"] or ""
        return row


@dataclass(frozen=True)
class Run:
    form: str
    seed: int
    began_at: datetime
    seconds: float
    rows: list[Row]

    @property
    def is_good(self) -> bool:
        return all(row.state in {"clean", "waiting"} for row in self.rows)

    def as_data(self) -> dict[str, Any]:
        return {
            "form": self.form,
            "seed": self.seed,
            "began_at": self.began_at.isoformat(timespec="seconds"),
            "seconds": round(self.seconds, 1),
            "commit": commit(),
            "machine": machine(),
            "ok": self.is_good,
            "faults": [row.as_data() for row in self.rows],
        }


def write_data(run: Run, path: Path = JSON) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(run.as_data(), indent=1) + "\n")


def write_page(run: Run) -> None:
    PAGE.write_text(page(run))


def commit() -> str:
    command = ["git", "describe", "--always", "--dirty=, with changes", "--abbrev=12"]
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def machine() -> str:
    memory = psutil.virtual_memory().total / 1024**3
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB, "
        f"Python {platform.python_version()}"
    )


def page(run: Run) -> str:
    """Return RELIABILITY.md."""
    played = [row for row in run.rows if not row.waiting]
    acknowledged = sum(row.trial.acknowledged for row in played)
    failures = sum(sum(row.trial.counts.values()) for row in played)
    controls = sum(row.control is not None for row in played)
    missed = sum(len(row.missed) for row in played)
    head = f"""# What survives

Written by `make faults`, never by hand. Each fault is done to the shipped server (two processes) and its PostgreSQL
while people post and read; a checker then compares what posters were promised with what every reader was shown.

- **{acknowledged:,} acknowledged messages, {failures} failures** ({", ".join(VERDICTS)}) in {len(played)} faults.
- {controls} of them have a control of their own. {missed} promises beside the counts were not kept.
- Run on {run.began_at:%Y-%m-%d} ({run.form} form, {run.seconds / 60:.0f} minutes, seed {run.seed}), commit {commit()}.
- On {machine()}.

The **control** is the same fault with one safety taken off. It has to fail: a harness that can't show loss proves
nothing. Without the fault the same server has to be clean, so that it is the fault that it fails by. "None; FI-01 shows
loss" means that this fault has no control of its own: there the checker was seen to find such a loss, but that this
very fault would cause one without the safety has not been shown.

How to read the figures:

- A count is of findings, not of messages: one message that thirty readers miss is lost thirty times.
- *Recovery* counts from when the cause was taken away: from when the database, or the server, answered again.
- *Stale* is what a reader's stream shows more than {STALE_SECONDS:g} s after it could. *Shown, p99* is that delay.
- The database writes unflushed log only every 10 s here, in faults and controls alike, so that a kill finds some.
- The full form is small: 5 rooms, 30 streams and 20 messages a second unless a fault says otherwise, each fault once.

| fault | what is done | runs | acknowledged | {" | ".join(VERDICTS)} | recovery | shown, p99 | control |
| --- | --- | ---: | ---: |{" ---: |" * len(VERDICTS)} ---: | ---: | --- |
"""
    return head + "\n".join([*map(_line, played), "", *_sections(run, played)]) + "\n"


def _line(row: Row) -> str:
    counts = " | ".join(str(row.trial.counts[verdict]) for verdict in VERDICTS)
    times = f"{row.trial.recovery:.1f} s | {row.trial.p99:.2f} s"
    return (
        f"| {row.id} | {row.title} | {row.runs} | {row.trial.acknowledged:,} | {counts} | {times} | {_control(row)} |"
    )


def _control(row: Row) -> str:
    if row.control:
        count = row.control.counts[row.expects]
        return f"{row.safety}: {count:,} {row.expects} of {row.control.acknowledged:,}"
    return f"none; {row.covered_by} shows loss" if row.covered_by else "not run"


def _sections(run: Run, played: list[Row]) -> list[str]:
    failures = [f"- **{row.id}**: {why(row)}" for row in played if row.state != "clean"]
    kept = [
        f"- **{row.id}**: {promise.says} ({promise.measured})"
        for row in played
        for promise in {promise.says: promise for promise in row.trial.promises if promise.kept}.values()
        if not any(missed.startswith(f"{promise.says}:") for missed in row.missed)
    ]
    missed = [f"- **{row.id}**: {missed}" for row in played for missed in row.missed]
    waiting = [f"- **{row.id}**, {row.title}: {row.waiting}" for row in run.rows if row.waiting]
    parts = (
        ("What failed", failures),
        ("What else was promised and kept", kept),
        ("What was promised and not kept", missed),
        ("Not played", waiting),
    )
    return [line for title, lines in parts if lines for line in (f"## {title}", "", *lines, "")][:-1]


def why(row: Row) -> str:
    if row.broken:
        return f"the run broke off: {row.broken}"
    if not row.control_failed:
        return f"the control ({row.safety}) showed nothing {row.expects}, so the clean run proves nothing"
    if not row.calm_is_clean:
        return f"the control ({row.safety}) fails without the fault too, so it proves nothing"
    return "; ".join([*row.trial.examples[:3], *row.trial.damage[:3], *(f"not kept: {each}" for each in row.missed)])


def _trial_data(trial: Trial) -> dict[str, Any]:
    return {
        "acknowledged": trial.acknowledged,
        "counts": dict(trial.counts),
        "repeats": trial.repeats,
        "recovery_seconds": round(trial.recovery, 3),
        "shown_p99_seconds": round(trial.p99, 3),
        "shown_worst_seconds": round(trial.worst, 3),
        "promises": [asdict(promise) for promise in trial.promises],
        "examples": trial.examples,
        "statuses": {str(status): count for status, count in sorted(trial.statuses.items())},
        "damage": trial.damage,
    }


def _trial_from(data: dict[str, Any]) -> Trial:
    trial = Trial(
        acknowledged=data["acknowledged"],
        repeats=data["repeats"],
        recovery=data["recovery_seconds"],
        p99=data["shown_p99_seconds"],
        worst=data["shown_worst_seconds"],
        examples=data["examples"],
        damage=data["damage"],
    )
    trial.counts.update(data["counts"])
    trial.statuses.update({int(status): count for status, count in data["statuses"].items()})
    trial.promises = [Promise(**promise) for promise in data["promises"]]
    return trial
