from __future__ import annotations

import json
from collections import Counter

import pytest

from project.realtime.returning import FADING, Returning

PING_TICKS = 20
MOST = 200  # returns in a second


def milliseconds(field: bytes) -> int:
    return int(field.partition(b"\n")[0].removeprefix(b"retry: "))


def opened(streams: int, *, in_seconds: int = 10, processes: int = 1) -> tuple[Returning, list[int]]:
    """Return what a process knows, and what it told each stream, after so many were opened."""
    returning = Returning()
    returning.processes = processes
    told = []
    for number in range(streams):
        returning.count_opened(number + 1)
        told.append(milliseconds(returning.retry()))
        if (number + 1) % max(1, streams // in_seconds) == 0:
            returning.tick(number + 1)
    return returning, told


def pinged(returning: Returning, streams: int) -> list[int]:
    """Return what each stream was told when all have been pinged once, some time later."""
    told = []
    for tick in range(3 * PING_TICKS):
        returning.tick(streams)
        if tick >= 2 * PING_TICKS:
            told += [milliseconds(returning.ping()) for _ in range(streams // PING_TICKS)]
    return told


def busiest_second(told: list[int]) -> int:
    return max(Counter(wait // 1_000 for wait in told).values())


def test_few_streams_are_back_soon() -> None:
    _returning, told = opened(200)
    assert min(told) >= 1_000
    assert 4_000 < max(told) <= 7_000
    assert len(set(told)) > 150


@pytest.mark.parametrize(("streams", "seconds"), [(2_000, 30), (5_000, 60)])
def test_crowd_comes_back_at_a_bearable_rate(streams: int, seconds: int) -> None:
    returning, told = opened(streams)
    if streams == 2_000:
        # The first of them have not been pinged, and were told when they were few.
        assert busiest_second(told) <= 1.25 * MOST
        assert max(told) <= seconds * 1_000 + 100
    told = pinged(returning, streams)
    assert busiest_second(told) <= MOST
    assert max(told) <= seconds * 1_000


def test_processes_of_one_machine_share_the_rate() -> None:
    told = [wait for _ in range(4) for wait in pinged(opened(500, processes=4)[0], 500)]
    assert busiest_second(told) <= MOST


def test_crowd_that_was_just_cut_off_is_still_reckoned_with() -> None:
    returning, _told = opened(2_000)
    returning.tick(0)
    returning.count_opened(1)
    assert returning.longest > 15_000
    for _ in range(200):
        returning.tick(1)
    assert returning.longest == 7_000
    assert 0 < FADING < 1


def test_nobody_waits_for_more_than_a_minute() -> None:
    assert opened(10_000)[0].longest == 59_000


def test_ping_tells_one_wait_and_the_longest_of_all() -> None:
    returning, _told = opened(1_000)
    retry, ping, end = returning.ping().split(b"\n\n")
    event, data = ping.split(b"\n")
    assert (event, end) == (b"event: ping", b"")
    assert json.loads(data.removeprefix(b"data: ")) == {"longest_retry": returning.longest}
    assert 1_000 <= milliseconds(retry) <= returning.longest
