"""Plays faults and controls, and writes down what came of them."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from django.conf import settings

from project import embedded
from tests.faults import report
from tests.faults.cases import (
    away,
    cursor,
    database,
    listening,
    network,
    process,
    revocation,
    rolling,
    stalled,
    storage,
    waiting,
)
from tests.faults.load import LONG, SHORT
from tests.faults.postgres import Database
from tests.faults.report import Row, Run
from tests.faults.site import Site
from tests.faults.stage import Fault, NotHere, Play, Stage, Trial, Waiting
from tests.server import ROOT

CASE_SECONDS = 240.0
PEOPLE = 500
PEOPLE_SHORT = 100
DISKS = {"data": "600m", "log": "128m"}

ALL: list[Fault | Waiting] = sorted(
    [each for module in (away, cursor, database, listening, network, process, revocation, rolling,
                                        stalled, storage, waiting)
     for each in module.FAULTS],
    key=lambda each: each.id,
)  # fmt: skip


class Runner:
    def __init__(self, site: Site, options: Namespace, rows: dict[str, Row]) -> None:
        self.site = site
        self.options = options
        self.rows = rows
        self.random = Random(options.seed)  # noqa: S311 (repeatable on purpose)

    async def run(self, faults: list[Fault]) -> None:
        """Play each fault once, then the controls by the safety they lack; the long form goes on until its time."""
        deadline = time.monotonic() + self.options.seconds
        await self.site.open(PEOPLE if self.options.long else PEOPLE_SHORT)
        try:
            await self._round(faults)
            for fault in sorted((each for each in faults if each.control), key=_safety):
                await self._play_control(fault)
            while self.options.long and time.monotonic() < deadline:
                self.random.shuffle(faults)
                await self._round(faults)
        finally:
            await self.site.close()

    async def _round(self, faults: list[Fault]) -> None:
        for fault in sorted(faults, key=lambda fault: fault.without or ""):
            row = self.rows[fault.id]
            trial = await self._played(fault.play, fault.without, row, fault.title)
            if trial:
                row.runs += 1
                row.trial = row.trial.plus(trial)

    async def _play_control(self, fault: Fault) -> None:
        control = fault.control
        if control and not self.rows[fault.id].waiting:
            title = f"control, {control.safety}"
            trial = await self._played(
                control.play, control.without, self.rows[fault.id], title, expects=control.verdict
            )
            self.rows[fault.id].control = trial or Trial()

    async def _played(self, play: Play, without: str | None, row: Row, title: str, expects: str = "") -> Trial | None:
        shape = LONG if self.options.long else SHORT
        stage = Stage(self.site, shape, self.random, is_long=self.options.long, is_control=bool(expects))
        say(f"{row.id}  {title} … ", end="")
        began = time.monotonic()
        try:
            await self.site.serve_without(without)
            async with asyncio.timeout(CASE_SECONDS if not self.options.long else 4 * CASE_SECONDS):
                await play(stage)
        except NotHere as reason:
            row.waiting = str(reason)
            say(f"not here: {reason}")
            return None
        except Exception as error:  # noqa: BLE001 (a case that breaks off is a finding; the others are played all the same)
            row.broken = f"{title}: {type(error).__name__}: {error}"
            say(f"BROKEN\n{traceback.format_exc()}")
            await self.site.repair()
            return None
        say(f"{verdict(stage.trial, expects)} ({time.monotonic() - began:.0f} s)")
        return stage.trial


def _safety(fault: Fault) -> str:
    return (fault.control.without if fault.control else None) or ""


def verdict(trial: Trial, expects: str) -> str:
    found = ", ".join(f"{count} {name}" for name, count in trial.counts.items() if count) or "clean"
    if expects:
        return f"fails as it must: {found}" if trial.counts[expects] else f"DID NOT FAIL: {found}"
    missed = sorted({f"{each.says}: {each.measured}" for each in trial.promises if not each.kept})
    lines = [
        f"{found}, {trial.acknowledged} acknowledged, recovery {trial.recovery:.1f} s, p99 {trial.p99:.2f} s",
        *(f"        not kept: {line}" for line in missed),
        *(f"        {line}" for line in [*trial.examples[:5], *trial.damage[:5]]),
    ]
    return "\n".join(lines)


def play_here(options: Namespace, faults: list[Fault], rows: dict[str, Row]) -> None:
    """Play the faults on the site in this process's data directory."""
    site_before = Database(settings.DATA_DIR)
    site_before.stop()
    shutil.rmtree(site_before.cluster.home, ignore_errors=True)  # what an earlier run has left in ruins
    with embedded.running(settings.DATA_DIR, lambda line: say(f"{line}")):
        site = Site(Random(options.seed))  # noqa: S311
        if options.small_disks:
            storage_on(site, Path(options.small_disks))
        asyncio.run(Runner(site, options, rows).run(faults))


def storage_on(site: Site, disks: Path) -> None:
    storage.move_log(site.database, disks / "log")


def play_on_small_disks(options: Namespace, faults: list[Fault], rows: dict[str, Row]) -> None:
    """Play the faults in a process of their own, whose data directory and log are on small volumes."""
    with small_disks() as disks:
        if disks is None:
            for fault in faults:
                rows[fault.id].waiting = "needs small volumes of its own, which only root can mount"
            return
        found = disks / "found.json"
        arguments = [
            "--only",
            ",".join(fault.id for fault in faults),
            "--seed",
            str(options.seed),
            "--found",
            str(found),
        ]
        arguments += ["--small-disks", str(disks), *(["--long"] if options.long else [])]
        environment = {**os.environ, "EARSHOT_FAULTS_DATA": str(disks / "data" / "site")}
        subprocess.run([sys.executable, "-m", "tests.faults", *arguments], cwd=ROOT, env=environment, check=False)
        data = json.loads(found.read_text())["faults"] if found.exists() else []
        by_id = {fault.id: fault for fault in faults}
        rows.update({each["id"]: Row.from_data(by_id[each["id"]], each) for each in data})


@contextmanager
def small_disks() -> Iterator[Path | None]:
    """Mount volumes that can be filled, as far as this machine lets us."""
    if os.geteuid() != 0 or sys.platform != "linux":
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="earshot-faults-") as name:
        disks = Path(name)
        mounted = []
        try:
            for place, size in DISKS.items():
                (disks / place).mkdir()
                subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "earshot", disks / place], check=True)
                mounted.append(disks / place)
            yield disks
        except subprocess.CalledProcessError:
            yield None
        finally:
            for volume in mounted:
                subprocess.run(["umount", "--lazy", volume], check=False)


def parse(arguments: list[str]) -> Namespace:
    parser = ArgumentParser(
        prog="python -m tests.faults", description="Break Earshot on purpose, and count what is lost."
    )
    parser.add_argument("--long", action="store_true", help="more of everything, over and over for --seconds")
    parser.add_argument("--seconds", type=float, default=3600, help="how long the long form goes on (3600)")
    parser.add_argument("--seed", type=int, default=1, help="what the load is made from (1)")
    parser.add_argument("--only", default="", help="some of the faults, for example FI-01,FI-08")
    parser.add_argument("--small-disks", default="", help="(set by itself) where the small volumes are")
    parser.add_argument("--found", default="", help="(set by itself) the file to write the findings to")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    wanted = [each.strip().upper() for each in options.only.split(",") if each.strip()]
    chosen = [each for each in ALL if not wanted or each.id in wanted]
    rows = {each.id: Row.of(each) for each in chosen}
    faults = [each for each in chosen if isinstance(each, Fault)]
    began, began_at = time.monotonic(), datetime.now(UTC)
    here = [fault for fault in faults if fault.on_small_disks == bool(options.small_disks)]
    elsewhere = [fault for fault in faults if fault not in here]
    if here:
        play_here(options, here, rows)
    if elsewhere:
        play_on_small_disks(options, elsewhere, rows)
    run = Run(
        "long" if options.long else "short", options.seed, began_at, time.monotonic() - began, list(rows.values())
    )
    return written(run, options, is_whole=not wanted)


def written(run: Run, options: Namespace, *, is_whole: bool) -> int:
    """Write what was found where it belongs, and return the exit status."""
    report.write_data(run, Path(options.found) if options.found else report.JSON)
    if options.found:
        return 0
    if is_whole:
        report.write_page(run)
    missed = sum(len(row.missed) for row in run.rows)
    say(
        f"\n{sum(row.runs for row in run.rows)} runs in {run.seconds:.0f} s:"
        f" {'nothing was lost' if run.is_good else 'NOT GOOD'}, {missed} promises not kept"
    )
    for row in run.rows:
        if row.state in {"failed", "broken"}:
            say(f"{row.id} {row.state}")
    return 0 if run.is_good else 1


def say(text: str, end: str = "\n") -> None:
    sys.stdout.write(text + end)
    sys.stdout.flush()
