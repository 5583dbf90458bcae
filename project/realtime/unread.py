"""Hints that there is something new in a viewer's other logs."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

Logs = dict[int, str]  # a viewer's logs: key to the name that clients know it by


@dataclass(frozen=True, slots=True)
class Reading:
    """What a viewer reads, and in which of those logs something is new at the moment of looking."""

    logs: Logs
    unread: frozenset[int]


class UnreadHints:
    """Which connected viewers read which logs, and what is new for each since they were last told.

    Only hints: what is unread is in the database, and a page that is loaded shows it.
    """

    def __init__(self) -> None:
        self._logs: dict[int, Logs] = {}
        self._readers: defaultdict[int, set[int]] = defaultdict(set)
        self._new: defaultdict[int, set[int]] = defaultdict(set)
        self._meanwhile: list[tuple[int, int]] = []

    def begin_looking(self) -> None:
        """Keep what is noted from now on for the viewers that are about to be looked up."""
        self._meanwhile = []

    def know(self, viewer: int, reading: Reading) -> None:
        """Learn, or learn anew, what a viewer reads, as it was looked up after `begin_looking`."""
        self.forget(viewer)
        self._logs[viewer] = reading.logs
        for key in reading.logs:
            self._readers[key].add(viewer)
        new = {key for key, actor in self._meanwhile if key in reading.logs and actor != viewer}
        if new or reading.unread:
            self._new[viewer] = new | (reading.unread & reading.logs.keys())

    def forget(self, viewer: int) -> None:
        for key in self._logs.pop(viewer, {}):
            self._readers[key].discard(viewer)
            if not self._readers[key]:
                del self._readers[key]
        self._new.pop(viewer, None)

    def note(self, key: int, actor: int) -> None:
        """Note that an actor added something to a log, for all its readers but the actor."""
        self._meanwhile.append((key, actor))
        for viewer in self._readers.get(key, ()):
            if viewer != actor:
                self._new[viewer].add(key)

    def take(self) -> dict[int, Logs]:
        """Return, and forget, what is new for each viewer."""
        self._meanwhile = []
        new, self._new = self._new, defaultdict(set)
        return {viewer: {key: self._logs[viewer][key] for key in keys} for viewer, keys in new.items()}
