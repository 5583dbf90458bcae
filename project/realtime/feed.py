"""One log being followed by this process: its newest entries in memory, and the subscriptions that read them."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from project.realtime import sse
from project.realtime.wire import Chunk

if TYPE_CHECKING:
    from project.realtime.subscription import Subscription

TAIL_ENTRIES = 500
CHUNK_ENTRIES = 100
EVERYBODY = 0  # no viewer's number


@dataclass(slots=True)
class Entry:
    """One event of a log, ready to be sent.

    `subject` names the thing that the event is about, `state` is that thing as it is now and `row` its HTML. An entry
    that `revises` its subject replaces the state of the earlier ones, so that a replay from memory never shows text
    that has been edited away or deleted; entries that quote the subject are forgotten, and replayed from the table.
    `ends_for` is the viewer whose right to read the log ended here, or EVERYBODY.
    `era` numbers the last revocation that had been committed when the entry was read.
    """

    position: int
    event: str
    about: dict[str, Any]
    state: dict[str, Any] = field(default_factory=dict)
    row: str | None = None
    subject: Hashable = None
    quotes: Hashable = None
    revises: bool = False
    ends_for: int | None = None
    era: int = 0
    _frames: dict[str, bytes] = field(default_factory=dict)

    def frame(self, format: str, identity: str | None = None) -> bytes:
        """Return the entry's frame in a format ("json", or "html" with the row), encoded once for all streams.

        Its id is the position, unless the stream has an identity of its own for it.
        """
        if format not in self._frames:
            row = {"row": self.row} if format == "html" and self.row is not None else {}
            self._frames[format] = sse.frame(self.event, {**self.about, **self.state, **row})
        return sse.identified(self._frames[format], identity or str(self.position))

    def take_state_of(self, newer: Entry) -> None:
        self.state, self.row = newer.state, newer.row
        self._frames.clear()


class Batch:
    """Entries that were read together, and what all streams that are up to date can share of them."""

    __slots__ = ("_chunks", "after", "ended", "entries", "last")

    def __init__(self, after: int, entries: Iterable[Entry]) -> None:
        self.after = after
        self.entries = list(entries)
        self.last = after + len(self.entries)
        self.ended = frozenset(entry.ends_for for entry in self.entries if entry.ends_for is not None)
        self._chunks: dict[str, Chunk] = {}

    def chunk(self, format: str) -> Chunk:
        if format not in self._chunks:
            self._chunks[format] = Chunk(b"".join(entry.frame(format) for entry in self.entries))
        return self._chunks[format]


class Feed:
    """A log's newest entries, gap-free up to `head`. Everything here runs in the event loop and never waits."""

    def __init__(self, key: int, channel: str, head: int) -> None:
        self.key = key
        self.channel = channel
        self.head = head
        self.subscriptions: set[Subscription] = set()
        self._tail: deque[Entry] = deque(maxlen=TAIL_ENTRIES)
        self._chunks: dict[tuple[int, int, str], Chunk] = {}

    @property
    def tail_start(self) -> int:
        """The position after which everything is in memory."""
        return self._tail[0].position - 1 if self._tail else self.head

    def append(self, entries: Iterable[Entry]) -> None:
        """Take the entries that follow `head`, in order, and let every subscription that can write send them."""
        batch = Batch(self.head, entries)
        for entry in batch.entries:
            if entry.position != self.head + 1:
                raise ValueError(f"entry {entry.position} does not follow {self.head} in the feed of {self.channel}")
            if entry.revises:
                self._bring_up_to_date(entry)
            self._tail.append(entry)
            self.head = entry.position
        self._chunks.clear()
        if batch.entries:
            for subscription in tuple(self.subscriptions):
                subscription.take(batch)

    def after(self, position: int) -> list[Entry]:
        """Return up to CHUNK_ENTRIES entries in memory that follow `position` (not before `tail_start`)."""
        missing = self.head - max(position, self.tail_start)
        if missing <= 0:
            return []
        first = len(self._tail) - missing
        return [self._tail[index] for index in range(first, min(first + CHUNK_ENTRIES, len(self._tail)))]

    def chunk(self, entries: list[Entry], format: str) -> Chunk:
        """Return the entries' frames joined. The streams of a room mostly ask for the same ones at the same time."""
        key = (entries[0].position, entries[-1].position, format)
        if key not in self._chunks:
            self._chunks[key] = Chunk(b"".join(entry.frame(format) for entry in entries))
        return self._chunks[key]

    def _bring_up_to_date(self, newer: Entry) -> None:
        stale = [index for index, entry in enumerate(self._tail) if entry.quotes == newer.subject]
        for _ in range(stale[-1] + 1 if stale else 0):
            self._tail.popleft()
        for entry in self._tail:
            if entry.subject == newer.subject:
                entry.take_state_of(newer)
