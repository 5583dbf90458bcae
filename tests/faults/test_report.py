"""What a run says of itself, and when it says that all is well."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.faults.report import Row, Run, page
from tests.faults.stage import Control, Fault, Promise, Stage, Trial, Waiting


async def play(_stage: Stage) -> None:
    return


FAULT = Fault("FI-99", "the roof falls in", play, Control("roof off", "lost", play))


def good_row() -> Row:
    row = Row.of(FAULT)
    row.runs, row.trial, row.control = 2, Trial(acknowledged=1234, recovery=1.5), Trial(acknowledged=50)
    row.control.counts["lost"] = 7
    return row


def run_of(*rows: Row) -> Run:
    return Run("full", 1, datetime(2026, 1, 2, tzinfo=UTC), 90, list(rows))


def something_lost(row: Row) -> None:
    row.trial.counts["lost"] = 1


def log_damaged(row: Row) -> None:
    row.trial.damage.append("position_gap attic:7")


def control_clean(row: Row) -> None:
    row.control = Trial(acknowledged=50)


def control_fails_otherwise(row: Row) -> None:
    row.control = Trial(acknowledged=50)
    row.control.counts["stale"] = 7


def broken_off(row: Row) -> None:
    row.broken = "TimeoutError"


def never_played(row: Row) -> None:
    row.runs = 0


def control_never_played(row: Row) -> None:
    row.control = None


def control_fails_by_itself(row: Row) -> None:
    row.calm = Trial(acknowledged=50)
    row.calm.counts["lost"] = 1


def promise_not_kept(row: Row) -> None:
    row.trial.promises.append(Promise("it is dry", False, "3 mm"))


@pytest.mark.parametrize(
    "spoil",
    [
        something_lost,
        log_damaged,
        control_clean,
        control_fails_otherwise,
        broken_off,
        never_played,
        control_never_played,
        control_fails_by_itself,
        promise_not_kept,
    ],
)
def test_run_is_not_good_when_anything_is_wrong(spoil: Callable[[Row], None]) -> None:
    row = good_row()
    assert run_of(row).is_good
    spoil(row)
    assert not run_of(row).is_good
    assert "## What failed" in page(run_of(row))


def test_page_shows_each_fault_with_its_control() -> None:
    waiting = Row.of(Waiting("FI-98", "the sea rises", "waits for the sea"))
    text = page(run_of(good_row(), waiting))
    line = "| FI-99 | the roof falls in | 2 | 1,234 | 0 | 0 | 0 | 0 | 0 | 0 | 1.5 s | 0.00 s | roof off: 7 lost of 50 |"
    assert line in text.splitlines()
    assert "- **FI-98**, the sea rises: waits for the sea" in text.splitlines()
    assert "## What failed" not in text


def test_page_tells_of_promises_kept_and_not_kept() -> None:
    row = good_row()
    row.trial.promises = [Promise("it is dry", True, "0 mm"), Promise("it is warm", False, "-3 °C")]
    assert not run_of(row).is_good
    text = page(run_of(row))
    assert "- **FI-99**: it is dry (0 mm)" in text.splitlines()
    assert "- **FI-99**: it is warm: -3 °C" in text.splitlines()


def test_row_comes_back_from_another_process_as_it_was() -> None:
    row = good_row()
    row.trial.promises = [Promise("it is dry", True, "0 mm")]
    row.trial.statuses[503] = 4
    assert Row.from_data(FAULT, row.as_data()) == row


def test_short_form_forgives_lateness_and_nothing_else() -> None:
    row = good_row()
    row.forgives_time = True
    row.trial.promises = [Promise("it is soon", False, "9 s", timed=True)]
    assert (run_of(row).is_good, row.forgiven) == (True, ["it is soon: 9 s"])
    promise_not_kept(row)
    assert not run_of(row).is_good
