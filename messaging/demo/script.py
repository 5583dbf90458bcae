"""Seven weeks of a room, made of conversations: who says what, and when. Nothing here touches the database."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from messaging.demo import rhythm
from messaging.demo.bag import Bag
from messaging.demo.conversations import ANYBODY, Conversation, load
from messaging.demo.people import PEOPLE, Person
from messaging.demo.rooms import DAYS, RoomPlan
from messaging.demo.slots import SLOTS

SMALLTALK_SHARE = 0.16
_QUIET = timedelta(minutes=40)  # before now, for the last conversation to stand in
_BETWEEN = timedelta(minutes=4)
_SELDOM = 0.1
_OFTEN = 4
_CHOICE = re.compile(r"\[\[(.*?)\]\]")
_SLOT = re.compile(r"\$([A-Za-z]+)(\d?)")

Cast = Mapping[str, Person]


@dataclass(frozen=True)
class Said:
    username: str
    """As in `PEOPLE`."""
    text: str
    at: datetime
    reply_to: int | None
    """The index of the line in its room."""


class RoomScript:
    def __init__(self, plan: RoomPlan, *, now: datetime, random: Random, usernames: Mapping[str, str]) -> None:
        self.said: list[Said] = []
        self._plan = plan
        self._random = random
        self._usernames = usernames
        self._members = [PEOPLE[username] for username in plan.members]
        self._first = now - timedelta(days=DAYS)
        self._last = now - timedelta(days=plan.last_day)
        self._own = Bag(load(plan.texts), random)
        self._smalltalk = Bag(load("smalltalk"), random)
        # When the first use of each conversation is due, as a part of the time between two uses of it.
        self._due = {conversation: random.random() for conversation in load(plan.texts)}
        self._slots = {name: Bag(values, random) for name, values in SLOTS.items()}

    def write(self, size: int) -> list[Said]:
        """Return about `size` lines in whole conversations, oldest first; the last just ended if people are awake."""
        conversations = round(size / self._usual_length())
        for at in sorted(self._moment() for _ in range(conversations - 1)):
            self._converse(at)
        self._converse(self._last - _QUIET, ends_now=True)
        return self.said

    def _usual_length(self) -> float:
        weights = {it: 1 if it.uses else _OFTEN for it in load(self._plan.texts)}
        return sum(len(it.lines) * weight for it, weight in weights.items()) / sum(weights.values())

    def _moment(self) -> datetime:
        return rhythm.moment(self._members, self._first, self._last - 2 * _QUIET, self._plan.weekend, self._random)

    def _converse(self, at: datetime, *, ends_now: bool = False) -> None:
        """Have a conversation that suits the hour and the people who are awake, if there is one."""
        bag = self._smalltalk if self._is_smalltalk_next() and not ends_now else self._own
        found = bag.take(lambda it: self._cast_if_due(it, at)) or bag.take(lambda it: self._cast_if_allowed(it, at))
        if found:
            conversation, cast = found
            self._due[conversation] = self._due.get(conversation, 0) + 1
            self._say(conversation, cast, at, ends_now)

    def _is_smalltalk_next(self) -> bool:
        return self._plan.smalltalk and self._random.random() < SMALLTALK_SHARE

    def _cast_if_due(self, conversation: Conversation, at: datetime) -> Cast | None:
        """Return who can have a conversation then; None as well if it would come too soon after its last time."""
        progress = (at - self._first) / (self._last - self._first)
        is_due = not conversation.uses or self._due.get(conversation, 0) <= progress * conversation.uses
        return self._cast_if_allowed(conversation, at) if is_due else None

    def _cast_if_allowed(self, conversation: Conversation, at: datetime) -> Cast | None:
        is_over = conversation.uses == 1 and self._due[conversation] >= 1
        cast = None if is_over else self._cast(conversation, at)
        return cast if cast and rhythm.suits(conversation.tags, cast[conversation.roles[0]], at) else None

    def _cast(self, conversation: Conversation, at: datetime) -> Cast | None:
        """Return who plays which role, or None if too few are awake."""
        cast = {role: PEOPLE[role] for role in conversation.roles if role not in ANYBODY}
        if not all(rhythm.is_awake(person, at) for person in cast.values()):
            return None
        free = [person for person in self._members if person not in cast.values() and rhythm.is_awake(person, at)]
        for role in (role for role in conversation.roles if role in ANYBODY):
            if not free:
                return None
            likely = [person.talks * (1 if rhythm.is_at_work(person, at) else _SELDOM) for person in free]
            cast[role] = self._random.choices(free, likely)[0]
            free.remove(cast[role])
        return cast

    def _say(self, conversation: Conversation, cast: Cast, at: datetime, ends_now: bool) -> None:
        values: dict[str, str] = {}
        texts = [self._filled(line.text, cast, values) for line in conversation.lines]
        roles = [line.role for line in conversation.lines]
        times = [timedelta(0)]
        for text, role, before in zip(texts[1:], roles[1:], roles, strict=False):
            times.append(times[-1] + rhythm.pause(text, role == before, self._random))
        start = max(at, self.said[-1].at + _BETWEEN) if self.said else at
        if ends_now:
            start = max(start, self._last - times[-1] - timedelta(seconds=self._random.randrange(60, 600)))
        if start + times[-1] >= self._last:
            return
        first = len(self.said)
        for line, text, after in zip(conversation.lines, texts, times, strict=True):
            reply_to = None if line.reply_to is None else first + line.reply_to
            self.said.append(Said(cast[line.role].username, text, start + after, reply_to))

    def _filled(self, text: str, cast: Cast, values: dict[str, str]) -> str:
        def value(slot: re.Match[str]) -> str:
            name = slot[1]
            if name == "home":
                return cast["a"].home
            if name.lower() in ANYBODY:
                person = cast[name.lower()]
                return person.first_name if name.isupper() else self._usernames[person.username]
            if name in PEOPLE:
                return self._usernames[name]
            if slot[0] not in values:
                values[slot[0]] = _SLOT.sub(value, self._slots[name].next())
            return values[slot[0]]

        chosen = _CHOICE.sub(lambda choice: self._random.choice(choice[1].split("|")), text)
        filled = _SLOT.sub(value, chosen).strip()
        return filled[:1].upper() + filled[1:] if chosen.startswith("$") else filled
