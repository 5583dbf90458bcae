"""Plays faults and controls, and writes down what came of them."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
import traceback
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from random import Random

from django.conf import settings

from tests.faults import crew, report
from tests.faults.cases import (
    away,
    clocks,
    cursor,
    database,
    embedded,
    listening,
    network,
    process,
    revocation,
    rolling,
    stalled,
    storage,
    uploads,
    waiting,
)
from tests.faults.load import LONG, USUAL
from tests.faults.postgres import Database
from tests.faults.report import Row, Run
from tests.faults.site import Site, forget_connections, in_thread
from tests.faults.stage import Fault, NotHere, Play, Stage, Trial, Waiting

CASE_SECONDS = 240.0
CALM_SECONDS = 2.0
PEOPLE_LONG = 500
PEOPLE = 100

ALL: list[Fault | Waiting] = sorted(
    [each for module in (away, clocks, cursor, database, embedded, listening, network, process, revocation, rolling,
                         stalled, storage, uploads, waiting)
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
        await self.site.open(PEOPLE_LONG if self.options.long else PEOPLE)
        try:
            await self._round(faults)
            controlled = sorted((each for each in faults if each.control), key=_safety)
            for safety, some in groupby(controlled, key=_safety):
                await self._play_controls(safety, list(some))
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

    async def _play_controls(self, safety: str, faults: list[Fault]) -> None:
        """Play the controls that lack one safety, and before them no fault at all: it must not fail by itself."""
        if safety and not self.options.short:
            first = self.rows[faults[0].id]
            calm = await self._played(calmly, safety, first, f"no fault, without {safety}")
            for fault in faults:
                self.rows[fault.id].calm = calm
        for fault in faults:
            control = fault.control
            if control and not self.rows[fault.id].waiting:
                title = f"control, {control.safety}"
                row = self.rows[fault.id]
                row.control = await self._played(control.play, control.without, row, title, expects=control.verdict)

    async def _played(self, play: Play, without: str | None, row: Row, title: str, expects: str = "") -> Trial | None:
        shape = LONG if self.options.long else USUAL
        stage = Stage(self.site, shape, self.random, form=self.options.form, is_control=bool(expects))
        began = time.monotonic()
        try:
            await in_thread(forget_connections)
            await self.site.serve_without(without)
            async with asyncio.timeout(CASE_SECONDS if not self.options.long else 4 * CASE_SECONDS):
                await play(stage)
        except NotHere as reason:
            row.waiting = str(reason)
            say(f"{row.id}  {title} … not here: {reason}")
            return None
        except Exception as error:  # noqa: BLE001 (a case that breaks off is a finding; the others are played all the same)
            row.broken = f"{title}: {type(error).__name__}: {error}"
            say(f"{row.id}  {title} … BROKEN\n{traceback.format_exc()}")
            await self.site.repair()
            return None
        seconds = time.monotonic() - began
        row.seconds += seconds
        say(f"{row.id}  {title} … {verdict(stage.trial, expects)} ({seconds:.0f} s)")
        return stage.trial


async def calmly(stage: Stage) -> None:
    """One person speaks, everybody listens."""
    async with stage.load(posters=1, rate=10) as load:
        await load.goes_on(CALM_SECONDS)


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
    database = Database(settings.DATA_DIR)
    database.cluster.stop()
    shutil.rmtree(database.cluster.home, ignore_errors=True)  # what an earlier run has left in ruins
    site = Site(Random(options.seed), database)  # noqa: S311
    with site.database.used():
        if options.small_disks:
            storage.move_log(site.database, Path(options.small_disks) / "log")
        asyncio.run(Runner(site, options, rows).run(faults))


def parse(arguments: list[str]) -> Namespace:
    parser = ArgumentParser(
        prog="python -m tests.faults", description="Break Earshot on purpose, and count what is lost."
    )
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument(
        "--short", action="store_true", help="a control of each kind only, and no failure for being late"
    )
    forms.add_argument("--long", action="store_true", help="more of everything, over and over for --seconds")
    parser.add_argument("--seconds", type=float, default=3600, help="how long the long form goes on (3600)")
    parser.add_argument("--seed", type=int, default=1, help="what the load is made from (1)")
    parser.add_argument("--only", default="", help="some of the faults, for example FI-01,FI-08")
    parser.add_argument("--jobs", type=int, default=0, help="sites side by side (3; short 5, long 1)")
    parser.add_argument("--no-page", action="store_true", help="leave RELIABILITY.md alone")
    parser.add_argument("--small-disks", default="", help="(set by itself) where the small volumes are")
    parser.add_argument("--found", default="", help="(set by itself) the file to write the findings to")
    options = parser.parse_args(arguments)
    options.form = "long" if options.long else "short" if options.short else "full"
    return options


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    wanted = [each.strip().upper() for each in options.only.split(",") if each.strip()]
    chosen = [each for each in ALL if not wanted or each.id in wanted]
    if options.short:
        chosen = [shortened(each) for each in chosen]
    rows = {each.id: Row.of(each) for each in chosen}
    faults = [each for each in chosen if isinstance(each, Fault)]
    began, began_at = time.monotonic(), datetime.now(UTC)
    if options.found:
        play_here(options, faults, rows)
    else:
        crew.play(options, faults, rows)
    for row in rows.values():
        row.forgives_time = options.short
    run = Run(options.form, options.seed, began_at, time.monotonic() - began, list(rows.values()))
    return written(run, options, is_whole=not wanted and not options.short)


def shortened(fault: Fault | Waiting) -> Fault | Waiting:
    """Return a fault without its control, if that is slow."""
    if isinstance(fault, Fault) and fault.control and fault.control.slow:
        return replace(fault, control=None)
    return fault


def written(run: Run, options: Namespace, *, is_whole: bool) -> int:
    """Write what was found where it belongs, and return the exit status."""
    report.write_data(run, Path(options.found) if options.found else report.JSON)
    if options.found:
        return 0
    if is_whole and not options.no_page:
        report.write_page(run)
    runs = sum(row.runs for row in run.rows)
    say(f"\n{runs} runs in {run.seconds:.0f} s: {'all is well' if run.is_good else 'NOT GOOD'}")
    for row in run.rows:
        if row.state not in {"clean", "waiting"}:
            say(f"{row.id} {row.state}: {report.why(row)}")
        for late in row.forgiven:
            say(f"{row.id} was late, which this form forgives: {late}")
    return 0 if run.is_good else 1


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
