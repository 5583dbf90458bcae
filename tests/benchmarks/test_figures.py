from __future__ import annotations

import math

import pytest

from tests.benchmarks.figures import Figure, worst


@pytest.mark.parametrize(
    ("figure", "is_met", "is_nonsense"),
    [
        (Figure("a ratio", 3.0, "µs", floor=2.0, bar=1.6), True, False),
        (Figure("a ratio on a busy machine", 9.0, "µs", floor=2.0, bar=1.6), False, False),
        (Figure("a ratio of another kind", 10.0, "µs", floor=2.0, bar=1.6), False, True),
        (Figure("at least", 10.0, "/s", floor=2.0, bar=5, at_least=True), True, False),
        (Figure("hardly", 4.0, "/s", floor=2.0, bar=5, at_least=True), False, False),
        (Figure("not at all", 3.0, "/s", floor=2.0, bar=5, at_least=True), False, True),
        (Figure("a delay on a busy machine", 900.0, "ms", bar=60), False, False),
        (Figure("a delay of seconds", 1_300.0, "ms", bar=60), False, True),
        (Figure("a count", 4.0, "", bar=4, is_count=True), True, False),
        (Figure("one more than there may be", 4.01, "", bar=4, is_count=True), False, True),
        (Figure("none at all", 0.0, "", bar=8, is_count=True), True, False),
        (Figure("nothing was used", 0.0, "µs", floor=2.0, bar=1.6), True, True),
        (Figure("not a number", math.nan, "ms"), None, True),
        (Figure("only told", 5.0, "/s"), None, False),
    ],
    ids=lambda value: value.name if isinstance(value, Figure) else "",
)
def test_short_form_fails_for_what_no_busy_machine_explains(
    figure: Figure, is_met: bool | None, is_nonsense: bool
) -> None:
    assert (figure.met, figure.is_nonsense) == (is_met, is_nonsense)


def test_worst_run_is_told() -> None:
    fast, slow = (Figure("posts", rate, "/s", floor=1.0, at_least=True) for rate in (9.0, 2.0))
    assert worst([fast, slow]) is worst([slow, fast]) is slow
    short, long = (Figure("delay", milliseconds, "ms") for milliseconds in (2.0, 9.0))
    assert worst([long]) is worst([short, long]) is long
