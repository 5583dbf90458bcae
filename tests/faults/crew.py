"""Shares the faults out to processes that play them side by side, each on a site of its own.

Most of a fault's time is waiting. Those that measure how fast the server is are played alone, when all others are done.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from argparse import Namespace
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from tests.faults.report import Row
from tests.faults.stage import Fault
from tests.server import ROOT

JOBS = {"full": 3, "short": 5, "long": 1}
DISKS = {"data": "900m", "log": "256m"}
NO_DISKS = "needs small volumes of its own, which only root can mount"

# They promise figures that a neighbour would spoil.
ALONE = {"FI-11", "FI-17", "FI-25"}
# About how long a fault takes outside the long form, and its control, where that is far from USUAL_SECONDS.
USUAL_SECONDS = (15.0, 10.0)
START_SECONDS = 6.0  # of a server that lacks a safety
SECONDS = {
    "FI-01": (7.0, 12.0),
    "FI-02": (27.0, 26.0),
    "FI-03": (14.0, 20.0),
    "FI-04": (21.0, 6.0),
    "FI-05": (20.0, 14.0),
    "FI-06": (25.0, 12.0),
    "FI-07": (11.0, 16.0),
    "FI-08": (4.0, 10.0),
    "FI-11": (19.0, 14.0),
    "FI-12": (27.0, 35.0),
    "FI-15": (30.0, 20.0),
    "FI-18": (27.0, 18.0),
    "FI-19": (6.0, 6.0),
    "FI-20": (44.0, 18.0),
    "FI-22": (6.0, 0.0),
    "FI-23": (11.0, 22.0),
    "FI-25": (26.0, 9.0),
    "FI-26": (21.0, 10.0),
    "FI-27": (18.0, 17.0),
}


@dataclass
class Group:
    """What one process plays, one after the other."""

    name: str
    faults: list[Fault] = field(default_factory=list)
    on_small_disks: bool = False

    @property
    def seconds(self) -> float:
        starts = len({_safety(fault) for fault in self.faults} - {""})
        return sum(map(_seconds, self.faults)) + starts * START_SECONDS


def play(options: Namespace, faults: list[Fault], rows: dict[str, Row]) -> None:
    """Have all faults played, and put what was found into their rows."""
    jobs = options.jobs or JOBS[options.form]
    together, alone = shared_out(faults, jobs, set() if options.short else ALONE)
    with ThreadPoolExecutor(jobs) as crew:
        for found in crew.map(lambda group: played(group, options, len(faults)), together):
            rows.update(found)
    for group in alone:
        rows.update(played(group, options, len(faults)))


def shared_out(faults: list[Fault], jobs: int, alone: Collection[str] = ALONE) -> tuple[list[Group], list[Group]]:
    """Return the groups that go side by side, `jobs` or fewer of about the same length, and those that go alone."""
    small = Group("small disks", [fault for fault in faults if fault.on_small_disks], on_small_disks=True)
    last = Group("alone", [fault for fault in faults if fault.id in alone])
    rest = [fault for fault in faults if not fault.on_small_disks and fault.id not in alone]
    groups = [Group(f"site {number}") for number in range(1, jobs + (not small.faults or jobs == 1))]
    for fault in sorted(rest, key=lambda fault: (-_seconds(fault), _safety(fault))):
        min(groups, key=lambda group: Group("", [*group.faults, fault]).seconds).faults.append(fault)
    return [group for group in (small, *groups) if group.faults], [last] if last.faults else []


def _seconds(fault: Fault) -> float:
    fault_seconds, control_seconds = SECONDS.get(fault.id, USUAL_SECONDS)
    return fault_seconds + (control_seconds if fault.control else 0.0)


def _safety(fault: Fault) -> str:
    return (fault.control.without if fault.control else None) or ""


def played(group: Group, options: Namespace, total: int) -> dict[str, Row]:
    """Play a group in a process of its own, and return its rows."""
    if group.on_small_disks:
        with small_disks() as disks:
            if disks is None:
                return {fault.id: Row.of(fault, waiting=NO_DISKS) for fault in group.faults}
            return _played(group, options, total, disks / "data" / "site", disks)
    return _played(group, options, total, settings.DATA_DIR / group.name.replace(" ", "-"), None)


def _played(group: Group, options: Namespace, total: int, data: Path, disks: Path | None) -> dict[str, Row]:
    with tempfile.TemporaryDirectory(prefix="earshot-found-") as directory:
        found = Path(directory) / "found.json"
        arguments = ["--only", ",".join(fault.id for fault in group.faults)]
        arguments += ["--seed", str(options.seed), "--found", str(found)]
        arguments += ["--short"] if options.short else []
        arguments += ["--small-disks", str(disks)] if disks else []
        if options.long:
            arguments += ["--long", "--seconds", str(options.seconds * len(group.faults) / total)]
        command = [sys.executable, "-m", "tests.faults", *arguments]
        environment = {**os.environ, "EARSHOT_FAULTS_DATA": str(data)}
        ended = subprocess.run(command, cwd=ROOT, env=environment, check=False)
        told = {each["id"]: each for each in json.loads(found.read_text())["faults"]} if found.exists() else {}
    rows = {fault.id: Row.of(fault) for fault in group.faults}
    for fault in group.faults:
        if fault.id in told:
            rows[fault.id] = Row.from_data(fault, told[fault.id])
        else:
            rows[fault.id].broken = f"the process that played it ended early, with {ended.returncode}"
    return rows


@contextmanager
def small_disks() -> Iterator[Path | None]:
    """Mount volumes that can be filled, as far as this machine lets us."""
    if os.geteuid() != 0 or sys.platform != "linux":
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="earshot-faults-") as name:
        disks = Path(name)
        mounted: list[Path] = []
        try:
            for place, size in DISKS.items():
                (disks / place).mkdir()
                command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "earshot", str(disks / place)]
                if subprocess.run(command, check=False, capture_output=True).returncode:
                    break
                mounted.append(disks / place)
            yield disks if len(mounted) == len(DISKS) else None
        finally:
            for volume in mounted:
                subprocess.run(["umount", "--lazy", volume], check=False)
