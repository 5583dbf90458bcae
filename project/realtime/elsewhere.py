"""What each viewer is told of the logs that a stream of theirs does not show."""

from __future__ import annotations

from collections.abc import Callable

from django.db import DatabaseError

from project.realtime import sse
from project.realtime.reader import ReaderThread
from project.realtime.source import Source
from project.realtime.subscription import Subscription
from project.realtime.unread import NO_NEWS, News, Reading, UnreadHints

LOOKED_UP_AT_ONCE = 100


class Elsewhere:
    """Hears of all activity, and says of it what concerns the viewers of this process's streams, once a tick."""

    def __init__(self, source: Source, reader: ReaderThread, streams_of: Callable[[int], list[Subscription]]) -> None:
        self._source = source
        self._reader = reader
        self._streams_of = streams_of
        self._hints = UnreadHints()
        self._unknown: set[int] = set()  # viewers who are to be looked up
        self._untold: set[int] = set()  # viewers who were looked up, and not told yet what was found

    def look_up(self, viewer: int) -> None:
        """Learn anew what a viewer reads: a stream of theirs has come or gone."""
        if self._streams_of(viewer):
            self._unknown.add(viewer)
        else:
            self._unknown.discard(viewer)
            self._hints.forget(viewer)

    def hear(self, payload: str) -> None:
        """Take in what the activity channel tells. Raises `ValueError` or `TypeError` for what nobody tells there."""
        kind, *about = payload.split()
        if kind == "read":
            self._tell_read(*map(int, about))
        else:
            self._note(kind, *about)

    async def tell(self) -> None:
        """Tell every viewer what is new for them, except those who have read on while they were looked up.

        They come a tick later: to wait for them would hold up everybody. Raises `DatabaseError`; then nobody is told,
        and nobody forgotten.
        """
        anew = await self._know_viewers() - self._unknown
        new, self._untold = self._hints.take(but=self._unknown), set()
        for viewer in new.keys() | anew:
            self._tell_news(viewer, new.get(viewer, NO_NEWS), is_whole=viewer in anew)

    def _note(self, kind: str, of: str, actor: str = "0") -> None:
        if kind == "new":
            self._hints.note(int(of), int(actor))
        elif kind == "log":
            self._unknown |= self._hints.readers(int(of))
        elif kind == "logs" and self._streams_of(int(of)):
            self._unknown.add(int(of))
        elif kind == "called":
            # How many calls that leaves unread is looked up, once for all that came within a tick.
            readers = self._hints.readers(int(of))
            self._unknown |= readers if actor == "*" else readers & set(map(int, actor.split(",")))

    def _tell_read(self, viewer: int, key: int, position: int, is_unread: int) -> None:
        """Tell a viewer's streams how far they have read, from whichever of them it came."""
        self._unknown |= {viewer} & self._untold  # what was found may be older than this
        if name := self._hints.name_of(viewer, key):
            frame = sse.frame("read", {"room": name, "position": position, "unread": bool(is_unread)})
            for subscription in self._streams_of(viewer):
                subscription.offer(frame)

    def _tell_news(self, viewer: int, news: News, *, is_whole: bool) -> None:
        names = self._hints.logs_of(viewer)
        whole = {"whole": True} if is_whole else {}
        for subscription in self._streams_of(viewer):
            shown = subscription.shown
            others = sorted(name for key, name in news.logs.items() if key not in shown)
            numbers = {names[key]: number for key, number in news.mentions.items() if key not in shown}
            mentions = {"mentions": numbers} if numbers else {}
            if others or mentions or whole:
                subscription.offer(sse.frame("unread", {"rooms": others, **whole, **mentions}))

    async def _know_viewers(self) -> set[int]:
        """Look up what newly opened streams' viewers read; return whom."""
        wanted, self._unknown = list(self._unknown), set()
        self._untold.update(wanted)
        anew: set[int] = set()
        try:
            for first in range(0, len(wanted), LOOKED_UP_AT_ONCE):
                some = wanted[first : first + LOOKED_UP_AT_ONCE]
                anew |= self._know(await self._reader.run(self._source.readings, some))
        except DatabaseError:
            self._unknown.update(wanted)
            raise
        return anew

    def _know(self, readings: dict[int, Reading]) -> set[int]:
        """Take in what viewers read; return those of them who still have a stream here."""
        here = {viewer for viewer in readings if self._streams_of(viewer)}
        for viewer in here:
            if gone := self._hints.know(viewer, readings[viewer], self._shown_everywhere(viewer)):
                for subscription in self._streams_of(viewer):
                    subscription.offer(sse.frame("rooms", {"gone": gone}))
        return here

    def _shown_everywhere(self, viewer: int) -> frozenset[int]:
        """Return the logs that each of a viewer's streams shows."""
        return frozenset.intersection(*(stream.shown for stream in self._streams_of(viewer)))
