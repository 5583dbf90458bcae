"""When people talk: in their own working hours, less at lunch and at weekends, and at the speed of typing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from messaging.demo.people import Person

_TALK_BY_HOUR = {7: 2, 8: 6, 9: 10, 10: 12, 11: 10, 12: 5, 13: 6, 14: 10, 15: 10, 16: 8, 17: 5, 18: 2, 19: 1, 20: 1}
_AT_WORK = range(8, 19)
_AWAKE = range(7, 23)
_TYPED_A_SECOND = 6
_SHORTEST_PAUSE = 4  # seconds
_USUAL_PAUSE = 40
_LONG_PAUSE = (240, 1_500)
_LONG_PAUSES = 0.09  # of all
_HOURS_OF = {"morning": range(7, 11), "lunch": range(11, 14), "evening": range(16, 20)}
_WEDNESDAY, _FRIDAY, _SATURDAY = 2, 4, 5


def local(person: Person, at: datetime) -> datetime:
    return at + timedelta(hours=person.hours)


def is_awake(person: Person, at: datetime) -> bool:
    return local(person, at).hour in _AWAKE


def is_at_work(person: Person, at: datetime) -> bool:
    return local(person, at).hour in _AT_WORK


def suits(tags: frozenset[str], person: Person, at: datetime) -> bool:
    """Whether a conversation with these tags can begin then, by this person's own clock."""
    here = local(person, at)
    hours_fit = all(here.hour in hours for tag, hours in _HOURS_OF.items() if tag in tags)
    friday_fits = "friday" not in tags or here.weekday() == _FRIDAY
    # The day before the weekly call.
    weekly_fits = "weekly" not in tags or here.weekday() == _WEDNESDAY
    weekend_fits = "weekend" not in tags or here.weekday() >= _SATURDAY
    return hours_fit and weekly_fits and friday_fits and weekend_fits


def moment(people: Sequence[Person], first: datetime, last: datetime, weekend: float, random: Random) -> datetime:
    """Return a time between two others at which one of these people would begin to talk."""
    while True:
        person = random.choices(people, [person.talks for person in people])[0]
        midnight = local(person, first + (last - first) * random.random()).replace(
            hour=0, minute=0, second=0, microsecond=0
        )
        hour = random.choices(list(_TALK_BY_HOUR), list(_TALK_BY_HOUR.values()))[0]
        at = midnight + timedelta(hours=hour - person.hours, seconds=random.randrange(3_600))
        is_wanted = local(person, at).weekday() < _SATURDAY or random.random() < weekend
        if first <= at <= last and is_wanted:
            return at


def pause(text: str, is_same_person: bool, random: Random) -> timedelta:
    """Return how long after the line before it a line comes."""
    seconds = _SHORTEST_PAUSE + min(len(text), 300) / _TYPED_A_SECOND
    if not is_same_person:
        seconds += random.expovariate(1 / _USUAL_PAUSE)
        if random.random() < _LONG_PAUSES:
            seconds += random.uniform(*_LONG_PAUSE)
    return timedelta(seconds=seconds)
