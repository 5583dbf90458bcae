from __future__ import annotations

from project.realtime.unread import Logs, News, Reading, UnreadHints


def reading(logs: Logs, *unread: int) -> Reading:
    return Reading(logs, frozenset(unread))


def logs(hints: UnreadHints) -> dict[int, Logs]:
    return {viewer: news.logs for viewer, news in hints.take().items()}


def test_readers_but_the_actor_are_told_once() -> None:
    hints = UnreadHints()
    hints.know(1, reading({10: "general", 11: "kitchen"}))
    hints.know(2, reading({10: "general"}))
    for _ in range(3):
        hints.note(10, actor=2)
    hints.note(11, actor=9)
    assert logs(hints) == {1: {10: "general", 11: "kitchen"}}
    assert logs(hints) == {}


def test_somebody_who_reads_it_no_more_is_told_nothing() -> None:
    hints = UnreadHints()
    hints.know(1, reading({10: "vault"}))
    hints.note(10, actor=2)
    assert logs(hints) == {1: {10: "vault"}}
    hints.note(10, actor=2)
    hints.know(1, reading({}))
    assert logs(hints) == {}


def test_what_every_stream_of_somebody_shows_is_not_told() -> None:
    hints = UnreadHints()
    hints.know(1, reading({10: "general", 11: "kitchen"}, 10, 11), shown=frozenset((10,)))
    assert logs(hints) == {1: {11: "kitchen"}}
    for key in (10, 11):
        hints.note(key, actor=2)
    assert logs(hints) == {1: {11: "kitchen"}}
    hints.know(1, reading({10: "general", 11: "kitchen"}))
    hints.note(10, actor=2)
    assert logs(hints) == {1: {10: "general"}}


def test_somebody_who_left_is_forgotten() -> None:
    hints = UnreadHints()
    hints.know(1, reading({10: "general"}))
    hints.note(10, actor=2)
    hints.forget(1)
    assert logs(hints) == {}


def test_what_was_unread_on_arrival_is_told() -> None:
    hints = UnreadHints()
    hints.know(1, reading({10: "general", 11: "kitchen"}, 11))
    assert logs(hints) == {1: {11: "kitchen"}}


def test_what_came_while_a_viewer_was_looked_up_is_told() -> None:
    hints = UnreadHints()
    hints.note(10, actor=2)
    hints.note(10, actor=1)
    hints.know(1, reading({10: "general"}))
    hints.know(2, reading({10: "general"}))
    assert logs(hints) == {1: {10: "general"}, 2: {10: "general"}}


def test_numbers_of_mentions_are_told_until_they_are_nothing() -> None:
    hints = UnreadHints()
    hints.know(1, Reading({10: "general", 11: "kitchen"}, frozenset((10,)), {10: 2}))
    assert hints.take() == {1: News({10: "general"}, {10: 2})}
    assert hints.take() == {}
    hints.know(1, Reading({10: "general", 11: "kitchen"}, frozenset(), {11: 1}))
    assert hints.take() == {1: News({}, {10: 0, 11: 1})}
    hints.know(1, Reading({10: "general"}, frozenset()))
    hints.know(1, Reading({10: "general"}, frozenset()))
    assert hints.take() == {}, "it reads kitchen no more"


def test_number_that_became_nothing_is_told_to_whoever_had_to_wait() -> None:
    hints = UnreadHints()
    hints.know(1, Reading({10: "general"}, frozenset({10}), {10: 2}))
    assert hints.take() == {1: News({10: "general"}, {10: 2})}
    hints.know(1, Reading({10: "general"}, frozenset()))
    assert hints.take(but={1}) == {}
    hints.know(1, Reading({10: "general"}, frozenset()))
    assert hints.take() == {1: News({}, {10: 0})}


def test_readers_of_a_log_are_those_who_are_connected() -> None:
    hints = UnreadHints()
    hints.know(1, reading({10: "general"}))
    hints.know(2, reading({10: "general", 11: "kitchen"}))
    hints.forget(1)
    assert (hints.readers(10), hints.readers(11), hints.readers(12)) == (frozenset((2,)), frozenset((2,)), frozenset())
