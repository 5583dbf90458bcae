from __future__ import annotations

import math

import pytest

from tests.benchmarks.figures import Figure, middle


@pytest.mark.parametrize(
    ("figure", "is_met", "is_nonsense"),
    [
        (Figure("a ratio", 3.0, "µs", floor=2.0, bar=1.6), True, False),
        (Figure("a ratio on a busy machine", 19.0, "µs", floor=2.0, bar=1.6), False, False),
        (Figure("a ratio of another kind", 66.0, "µs", floor=2.0, bar=1.6), False, True),
        (Figure("at least", 10.0, "/s", floor=2.0, bar=5, at_least=True), True, False),
        (Figure("hardly", 1.0, "/s", floor=2.0, bar=5, at_least=True), False, False),
        (Figure("not at all", 0.4, "/s", floor=2.0, bar=5, at_least=True), False, True),
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


def test_median_of_the_rounds_is_told_and_how_far_apart_they_were() -> None:
    rates = [Figure("posts", rate, "/s", floor=2.0, at_least=True) for rate in (9.0, 2.0, 4.0)]
    told = middle(rates)
    assert (told.ratio, told.spread) == (2.0, (1.0, 4.5))
    delays = [Figure("delay", milliseconds, "ms", bar=5.0) for milliseconds in (9.0, 2.0)]
    assert middle(delays).met is False, "of two the worse one, where less is better"
    assert middle(delays[:1]) == delays[0]
    assert "2–9" in str(middle(delays))
