"""Hints that there is something new in a viewer's other logs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Set
from dataclasses import dataclass, field
from typing import NamedTuple

Logs = dict[int, str]  # a viewer's logs: key to the name that clients know it by
Mentions = dict[int, int]  # by key, how many unread messages call the viewer by name


@dataclass(frozen=True, slots=True)
class Reading:
    """What a viewer reads, and in which of those logs something is new at the moment of looking."""

    logs: Logs
    unread: frozenset[int]
    mentions: Mentions = field(default_factory=dict)


class News(NamedTuple):
    """What a viewer is told: in which logs something is new, and where the number of mentions is another one."""

    logs: Logs
    mentions: Mentions


NO_NEWS = News({}, {})


class UnreadHints:
    """Which connected viewers read which logs, and what is new for each since they were last told.

    Only hints: what is unread is in the database, and a page that is loaded shows it.
    """

    def __init__(self) -> None:
        self._logs: dict[int, Logs] = {}
        self._readers: defaultdict[int, set[int]] = defaultdict(set)
        self._elsewhere: defaultdict[int, set[int]] = defaultdict(set)
        self._new: defaultdict[int, set[int]] = defaultdict(set)
        self._noted: defaultdict[int, set[int]] = defaultdict(set)
        self._mentions: dict[int, Mentions] = {}
        self._untold: dict[int, Mentions] = {}

    def know(self, viewer: int, reading: Reading, shown: Set[int] = frozenset()) -> list[str]:
        """Learn, or learn anew, what a viewer reads; what was noted since the last `take` counts for them too.

        Of the logs `shown` in each of their streams they need not be told.

        Returns the names of the logs that they read before and do not any more.
        """
        before = self._logs.get(viewer, {})
        told = self._mentions.get(viewer, {}).keys() | self._untold.get(viewer, {}).keys()
        self.forget(viewer)
        self._logs[viewer] = reading.logs
        self._mentions[viewer] = reading.mentions
        # A number that was told and has gone to nothing is told, too.
        self._untold[viewer] = dict.fromkeys(told & reading.logs.keys(), 0) | reading.mentions
        for key in reading.logs:
            self._readers[key].add(viewer)
            if key not in shown:
                self._elsewhere[key].add(viewer)
        if reading.unread:
            self._new[viewer] = set(reading.unread & reading.logs.keys() - shown)
        return sorted(name for key, name in before.items() if key not in reading.logs)

    def readers(self, key: int) -> frozenset[int]:
        return frozenset(self._readers.get(key, ()))

    def forget(self, viewer: int) -> None:
        for key in self._logs.pop(viewer, {}):
            for viewers in (self._readers, self._elsewhere):
                viewers[key].discard(viewer)
                if not viewers[key]:
                    del viewers[key]
        self._new.pop(viewer, None)
        self._mentions.pop(viewer, None)
        self._untold.pop(viewer, None)

    def logs_of(self, viewer: int) -> Logs:
        return self._logs.get(viewer, {})

    def name_of(self, viewer: int, key: int) -> str | None:
        """Return the name by which a connected viewer knows a log of theirs."""
        return self._logs.get(viewer, {}).get(key)

    def note(self, key: int, actor: int) -> None:
        """Note that an actor added something to a log, for all its readers but the actor."""
        self._noted[key].add(actor)

    def take(self, but: Set[int] = frozenset()) -> dict[int, News]:
        """Return, and forget, what is new for each viewer `but` those."""
        for key, actors in self._noted.items():
            for viewer in self._elsewhere.get(key, ()):
                if actors != {viewer}:
                    self._new[viewer].add(key)
        self._noted.clear()
        told = self._new.keys() | {viewer for viewer, mentions in self._untold.items() if mentions}
        return {
            viewer: News(
                {key: self._logs[viewer][key] for key in self._new.pop(viewer, ())}, self._untold.pop(viewer, {})
            )
            for viewer in told - but
        }
