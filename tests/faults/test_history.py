"""The checker must name what it is there to find: each doctored history differs from a clean one in one thing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faults.history import VERDICTS, Answer, Call, History, Judgement, Shown, Stay, judge

ROOM = "kitchen"


def call(number: int, *answers: Answer, poster: str = "ana", room: str = ROOM) -> Call:
    given = list(answers) or [Answer("ok", at=number + 0.5, position=number)]
    return Call(poster, room, f"k{number}", f"body {number}", began=float(number), answers=given)


def shown(number: int, reader: str = "rea", *, at: float | None = None, position: int | None = None) -> Shown:
    moment = number + 0.6 if at is None else at
    return Shown(reader, ROOM, number if position is None else position, f"k{number}", f"body {number}", "live", moment)


def clean() -> History:
    """Four messages of one poster, the second tried twice, shown to two readers."""
    calls = [call(1), call(2, Answer("info", 2.2), Answer("ok", 2.5, 2)), call(3), call(4)]
    screen = [shown(number, reader) for number in range(1, 5) for reader in ("rea", "rob")]
    final = [shown(number, "final") for number in range(1, 5)]
    return History(calls, screen, [Stay("rea", ROOM), Stay("rob", ROOM)], final)


def verdicts(judgement: Judgement) -> set[str]:
    return {fault.verdict for fault in judgement.faults}


def acknowledged_and_gone(history: History) -> None:
    history.final = history.final[:-1]
    history.shown = [each for each in history.shown if each.key != "k4"]


def never_shown_to_one_reader(history: History) -> None:
    history.shown.remove(shown(3, "rob"))


def seen_and_unseen(history: History) -> None:
    history.calls[3].answers = [Answer("info", 4.5)]
    history.final = history.final[:-1]


def never_posted(history: History) -> None:
    del history.calls[2]


def mangled(history: History) -> None:
    history.shown[4] = history.shown[4]._replace(body="body 8")


def in_another_room(history: History) -> None:
    history.calls[2].room = "attic"
    history.calls[2].answers = [Answer("info", 3.5)]


def refused_and_there(history: History) -> None:
    history.calls[2].answers = [Answer("fail", 3.5)]


def one_key_twice(history: History) -> None:
    again = shown(4, position=5)
    history.final.append(again._replace(reader="final"))
    history.shown += [again, again._replace(reader="rob")]


def promised_two_places(history: History) -> None:
    history.calls[1].answers.append(Answer("ok", 2.7, 9))


def twice_on_screen(history: History) -> None:
    history.shown.append(shown(4))


def readers_disagree(history: History) -> None:
    history.shown[0] = shown(2, "rea", position=1)
    history.shown[2] = shown(1, "rea", position=2)


def screen_runs_backwards(history: History) -> None:
    history.shown[2], history.shown[4] = history.shown[4], history.shown[2]


def own_words_swapped(history: History) -> None:
    for number, position in ((3, 4), (4, 3)):
        history.calls[number - 1].answers = [Answer("ok", number + 0.5, position)]
    history.final[2:] = [shown(4, "final", position=3), shown(3, "final", position=4)]
    for reader in ("rea", "rob"):
        history.shown = [each for each in history.shown if each.reader != reader or each.position < 3]
        history.shown += [shown(4, reader, position=3), shown(3, reader, at=4.6, position=4)]


def shown_late(history: History) -> None:
    history.shown[-1] = history.shown[-1]._replace(at=60.0)


def shown_after_removal(history: History) -> None:
    history.stays[1] = Stay("rob", ROOM, last=3)


def shown_to_a_stranger(history: History) -> None:
    history.shown.append(shown(1, "stranger"))


DOCTORED: list[tuple[Callable[[History], None], str]] = [
    (acknowledged_and_gone, "lost"),
    (never_shown_to_one_reader, "lost"),
    (seen_and_unseen, "lost"),
    (never_posted, "phantom"),
    (mangled, "phantom"),
    (in_another_room, "phantom"),
    (refused_and_there, "phantom"),
    (one_key_twice, "duplicated"),
    (promised_two_places, "duplicated"),
    (twice_on_screen, "duplicated"),
    (readers_disagree, "reordered"),
    (screen_runs_backwards, "reordered"),
    (own_words_swapped, "reordered"),
    (shown_late, "stale"),
    (shown_after_removal, "leaked"),
    (shown_to_a_stranger, "leaked"),
]


@pytest.mark.parametrize(("doctor", "verdict"), DOCTORED, ids=[doctor.__name__ for doctor, _ in DOCTORED])
def test_doctored_history_is_found_out(doctor: Callable[[History], None], verdict: str) -> None:
    history = clean()
    assert judge(history).faults == []
    doctor(history)
    assert verdicts(judge(history)) == {verdict}


def test_each_of_the_six_has_been_found() -> None:
    assert {verdict for _doctor, verdict in DOCTORED} == set(VERDICTS)


def test_attempt_that_may_have_been_either_is_no_fault_there_or_not() -> None:
    history = clean()
    history.calls += [call(5, Answer("info", 5.5)), call(6, Answer("info", 6.5)), call(7, Answer("fail", 7.5))]
    history.shown += [shown(5, "rea"), shown(5, "rob")]
    history.final.append(shown(5, "final"))
    assert judge(history).faults == []


def test_refusal_of_a_second_try_does_not_unsay_the_first() -> None:
    history = clean()
    history.calls[3].answers = [Answer("info", 4.2), Answer("fail", 4.4)]
    assert judge(history).faults == []


def test_reader_who_came_and_went_must_not_have_seen_everything() -> None:
    history = clean()
    never_shown_to_one_reader(history)
    assert verdicts(judge(history)) == {"lost"}
    history.stays[1] = Stay("rob", ROOM, always_there=False)
    assert judge(history).faults == []


def test_delay_counts_from_the_end_of_the_fault() -> None:
    history = clean()
    shown_late(history)
    assert verdicts(judge(history)) == {"stale"}
    history.outages = [(4.0, 58.0)]
    judgement = judge(history)
    assert judgement.faults == []
    assert judgement.delay(1.0) == pytest.approx(2.0)
    history.outages = [(4.0, 40.0)]
    assert verdicts(judge(history)) == {"stale"}


def test_delay_counts_from_when_the_reader_came() -> None:
    history = clean()
    shown_late(history)
    assert verdicts(judge(history)) == {"stale"}
    history.stays[1] = Stay("rob", ROOM, came_at=59.0)
    assert judge(history).faults == []


def test_fault_that_is_over_excuses_nothing() -> None:
    history = clean()
    shown_late(history)
    history.outages = [(1.0, 3.0)]
    assert verdicts(judge(history)) == {"stale"}


def test_acknowledged_counts_messages_not_attempts() -> None:
    history = clean()
    history.calls[0].answers.append(Answer("ok", 1.7, 1))
    history.calls.append(call(5, Answer("fail", 5.5)))
    assert history.acknowledged() == 4


@given(
    st.sets(st.integers(1, 30), min_size=1),
    st.dictionaries(st.integers(1, 30), st.sampled_from(["drop", "repeat", "move"]), max_size=4),
)
def test_any_screen_that_is_not_the_log_is_found_out(said: set[int], changes: dict[int, str]) -> None:
    """Whatever is dropped, repeated or moved on one screen, the checker says so, and says nothing of a clean one."""
    order = sorted(said)
    screen = [shown(number) for number in order]
    history = History([call(number) for number in order], screen, [Stay("rea", ROOM)], list(screen))
    assert judge(history).faults == []
    history.shown = list(screen)
    for number, change in changes.items():
        if number in said:
            doctor_screen(history.shown, screen, shown(number), change)
    assert bool(judge(history).faults) == (history.shown != screen)


def doctor_screen(screen: list[Shown], whole: list[Shown], entry: Shown, change: str) -> None:
    if change == "repeat":
        screen.append(entry)
    elif entry in screen:
        screen.remove(entry)
        if change == "move":
            screen.append(entry)
