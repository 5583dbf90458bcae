from __future__ import annotations

import json
from typing import Any

from project.realtime.presence import (
    CROWD_SECONDS,
    DECAY_SECONDS,
    GRACE_SECONDS,
    NAMED_MAX,
    PULSE_SECONDS,
    REPORTED_MAX,
    Presence,
)


def shown(presence: Presence, now: float) -> dict[str, Any] | None:
    frame = presence.frame_due(now)
    return json.loads(frame.split(b"data: ")[1]) if frame else None


def tell(sender: Presence, receiver: Presence, now: float) -> None:
    report = sender.report_due(now)
    assert report is not None
    receiver.hear(json.loads(report)["presence"], now)


def test_viewers_of_this_process_are_shown_once_however_many_tabs_they_have() -> None:
    presence = Presence("a")
    for viewer in (3, 3, 5):
        presence.join(viewer)
    assert shown(presence, 100.0) == {"count": 2, "here": [3, 5]}
    assert shown(presence, 101.0) is None


def test_viewers_of_all_processes_are_shown() -> None:
    one, other = Presence("a"), Presence("b")
    one.join(3)
    other.join(5)
    tell(other, one, 100.0)
    assert shown(one, 100.0) == {"count": 2, "here": [3, 5]}


def test_process_that_died_takes_its_viewers_along() -> None:
    one, dead = Presence("a"), Presence("b")
    one.join(3)
    dead.join(5)
    tell(dead, one, 100.0)
    assert shown(one, 100.0) == {"count": 2, "here": [3, 5]}
    assert shown(one, 100.0 + DECAY_SECONDS - 1) is None
    assert shown(one, 100.0 + DECAY_SECONDS) == {"count": 1, "here": [3]}


def test_page_that_is_loaded_again_does_not_leave() -> None:
    presence = Presence("a")
    presence.join(3)
    shown(presence, 100.0)
    presence.leave(3, 101.0)
    presence.join(3)
    assert shown(presence, 102.0) is None
    presence.leave(3, 103.0)
    assert shown(presence, 103.0 + GRACE_SECONDS - 0.1) is None
    assert shown(presence, 103.0 + GRACE_SECONDS) == {"count": 0, "here": []}


def test_report_is_sent_at_a_change_at_a_question_and_at_the_pulse() -> None:
    one, other = Presence("a"), Presence("b")
    one.join(3)
    assert one.report_due(100.0) is not None
    assert one.report_due(101.0) is None
    one.join(4)
    assert one.report_due(102.0) is not None
    tell(other, one, 103.0)
    assert one.report_due(103.0) is not None
    assert one.report_due(104.0) is None
    assert one.report_due(103.0 + PULSE_SECONDS) is not None


def test_crowd_is_counted_named_in_part_and_told_of_rarely() -> None:
    presence = Presence("a")
    for viewer in range(NAMED_MAX + 50):
        presence.join(viewer)
    state = shown(presence, 100.0)
    assert state == {"count": NAMED_MAX + 50, "here": list(range(NAMED_MAX))}
    presence.join(9_999)
    assert shown(presence, 101.0) is None
    assert shown(presence, 100.0 + CROWD_SECONDS) is not None


def test_largest_report_fits_in_a_notify() -> None:
    presence, other = Presence("a" * 12), Presence("b")
    for viewer in range(2_000_000_000, 2_000_000_000 + REPORTED_MAX + 700):
        presence.join(viewer)
    report = presence.report_due(100.0)
    assert report is not None
    assert len(report.encode()) < 8_000
    other.hear(json.loads(report)["presence"], 100.0)
    assert shown(other, 100.0) == {
        "count": REPORTED_MAX + 700,
        "here": list(range(2_000_000_000, 2_000_000_000 + NAMED_MAX)),
    }
