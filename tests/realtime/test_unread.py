from __future__ import annotations

from project.realtime.unread import Logs, Reading, UnreadHints


def reading(logs: Logs, *unread: int) -> Reading:
    return Reading(logs, frozenset(unread))


def test_readers_but_the_actor_are_told_once() -> None:
    hints = UnreadHints()
    hints.know(1, reading({10: "general", 11: "kitchen"}))
    hints.know(2, reading({10: "general"}))
    for _ in range(3):
        hints.note(10, actor=2)
    hints.note(11, actor=9)
    assert hints.take() == {1: {10: "general", 11: "kitchen"}}
    assert hints.take() == {}


def test_somebody_who_reads_it_no_more_is_told_nothing() -> None:
    hints = UnreadHints()
    hints.know(1, reading({10: "vault"}))
    hints.note(10, actor=2)
    assert hints.take() == {1: {10: "vault"}}
    hints.note(10, actor=2)
    hints.know(1, reading({}))
    assert hints.take() == {}


def test_somebody_who_left_is_forgotten() -> None:
    hints = UnreadHints()
    hints.know(1, reading({10: "general"}))
    hints.note(10, actor=2)
    hints.forget(1)
    assert hints.take() == {}


def test_what_was_unread_on_arrival_is_told() -> None:
    hints = UnreadHints()
    hints.know(1, reading({10: "general", 11: "kitchen"}, 11))
    assert hints.take() == {1: {11: "kitchen"}}


def test_what_came_while_a_viewer_was_looked_up_is_told() -> None:
    hints = UnreadHints()
    hints.note(10, actor=2)
    hints.note(10, actor=1)
    hints.know(1, reading({10: "general"}))
    hints.know(2, reading({10: "general"}))
    assert hints.take() == {1: {10: "general"}, 2: {10: "general"}}
