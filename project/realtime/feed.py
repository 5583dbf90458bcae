"""One log being followed by this process: its newest entries in memory, and the subscriptions that read them."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from project.realtime import sse
from project.realtime.wire import Chunk, Wire

if TYPE_CHECKING:
    from project.realtime.subscription import Subscription

# Of entries in memory, and of those that go out in one write: in number and, since a message may be long, in bytes.
TAIL_ENTRIES, TAIL_BYTES = 500, 4 * 1024**2
CHUNK_ENTRIES, CHUNK_BYTES = 100, 128 * 1024
CHUNKS_BYTES = 4 * 1024**2  # of all chunks that are kept for the streams that are not up to date
EVERYBODY = 0  # no viewer's number


@dataclass(slots=True)
class Restricted:
    """What an entry shows to those who may only read what stands after a position.

    Who may not read the entry's subject, at `of`, is shown `instead`; who may, but not what it quotes, the `unquoted`.
    """

    of: int
    instead: dict[str, Any]
    quoted: int | None
    unquoted: dict[str, Any]
    unquoted_row: str | None = None

    def frame_for(self, floor: int, event: str, format: str, identity: str) -> bytes | None:
        """Return the frame for whoever reads only what stands after `floor`, or None if that is the whole entry."""
        if self.of <= floor:
            return sse.identified(sse.frame(event, self.instead), identity)
        if self.quoted is None or self.quoted > floor:
            return None
        row = {"row": self.unquoted_row} if format == "html" else {}
        return sse.identified(sse.frame(event, {**self.unquoted, **row}), identity)


@dataclass(slots=True)
class Entry:
    """One event of a log, ready to be sent.

    `subject` names the thing that the event is about, `state` is that thing as it is now and `row` its HTML. An entry
    that `revises` its subject replaces the state of the earlier ones, so that a replay from memory never shows text
    that has been edited away or deleted; entries that quote the subject are forgotten, and replayed from the table.
    `ends_for` is the viewer whose right to read the log ended here, or EVERYBODY. One that `renews` changed what part
    of the log may be read: all streams end behind it, and are asked for anew.
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
    renews: bool = False
    restricted: Restricted | None = None
    era: int = 0
    _frames: dict[str, bytes] = field(default_factory=dict)

    def frame(self, format: str, identity: str | None = None, floor: int = 0) -> bytes:
        """Return the entry's frame in a format ("json", or "html" with the row), encoded once for all streams.

        Its id is the position, unless the stream has an identity of its own for it. Who may only read what stands after
        `floor` is shown no more than that.
        """
        if floor and self.restricted:
            found = self.restricted.frame_for(floor, self.event, format, identity or str(self.position))
            if found:
                return found
        return sse.identified(self._body(format), identity or str(self.position))

    @property
    def size(self) -> int:
        """The bytes of its largest frame."""
        return len(self._body("html"))

    def _body(self, format: str) -> bytes:
        if format not in self._frames:
            row = {"row": self.row} if format == "html" and self.row is not None else {}
            self._frames[format] = sse.frame(self.event, {**self.about, **self.state, **row})
        return self._frames[format]

    def take_state_of(self, newer: Entry) -> None:
        self.state, self.row, self.restricted = newer.state, newer.row, newer.restricted
        self._frames.clear()


def portion(entries: Iterable[Entry]) -> list[Entry]:
    """Return the first of the entries, as many as one chunk holds, and one at least."""
    taken: list[Entry] = []
    size = 0
    for entry in islice(entries, CHUNK_ENTRIES):
        size += entry.size
        if taken and size > CHUNK_BYTES:
            break
        taken.append(entry)
    return taken


@dataclass(slots=True)
class Batch:
    """Entries that were read together: what all streams that are in step are sent in one write."""

    after: int
    entries: list[Entry]

    @property
    def last(self) -> int:
        return self.after + len(self.entries)

    @property
    def ends_a_right(self) -> bool:
        return any(entry.renews or entry.ends_for is not None for entry in self.entries)

    def chunk(self, format: str) -> Chunk:
        return Chunk(b"".join(entry.frame(format) for entry in self.entries))


class Feed:
    """A log's newest entries, gap-free up to `head`. Everything here runs in the event loop and never waits.

    Streams that have sent all up to `head`, and are shown what everybody is, are in step: what is new is written to
    their wires without a look at the streams themselves. In a large room that look would cost a third as much as the
    writing.
    """

    def __init__(self, key: int, channel: str, head: int) -> None:
        self.key = key
        self.channel = channel
        self.head = head
        self.subscriptions: set[Subscription] = set()
        self._in_step: dict[str, dict[Wire, Subscription]] = {"html": {}, "json": {}}
        self._tail: deque[Entry] = deque()
        self._tail_bytes = 0
        self._chunks: dict[tuple[int, int, str], Chunk] = {}
        self._chunks_bytes = 0

    def leave(self, subscription: Subscription) -> None:
        """Forget a stream."""
        self.subscriptions.discard(subscription)
        self._in_step[subscription.format].pop(subscription.wire, None)

    def get_in_step(self, subscription: Subscription) -> None:
        """Have a stream that is at `head` sent what follows, until it takes no more or somebody's right ends."""
        self._in_step[subscription.format][subscription.wire] = subscription

    @property
    def tail_start(self) -> int:
        """The position after which everything is in memory."""
        return self._tail[0].position - 1 if self._tail else self.head

    def append(self, entries: Iterable[Entry]) -> None:
        """Take the entries that follow `head`, in order, and let every subscription that can write send them."""
        before, new = self.head, list(entries)
        for entry in new:
            if entry.position != self.head + 1:
                raise ValueError(f"entry {entry.position} does not follow {self.head} in the feed of {self.channel}")
            if entry.revises:
                self._bring_up_to_date(entry)
            self._keep(entry)
            self.head = entry.position
        self._forget_chunks()
        while new:
            batch = Batch(before, portion(new))
            self._write_in_step(batch)
            before, new = batch.last, new[len(batch.entries) :]
        for subscription in self._out_of_step():
            subscription.pump()

    def break_step(self, position: int) -> None:
        """Leave every stream that was in step to go on by itself, from a position."""
        for streams in self._in_step.values():
            for subscription in streams.values():
                subscription.fall_behind(position)
            streams.clear()

    def _write_in_step(self, batch: Batch) -> None:
        if batch.ends_a_right:  # whose, each stream finds out
            self.break_step(batch.after)
        for format, streams in self._in_step.items():
            if not streams:
                continue
            chunk = batch.chunk(format)
            for wire in tuple(streams):
                if wire.is_full:
                    streams.pop(wire).fall_behind(batch.after)
                else:
                    wire.write(chunk)

    def _out_of_step(self) -> set[Subscription]:
        if len(self.subscriptions) == sum(map(len, self._in_step.values())):
            return set()
        return self.subscriptions.difference(*(streams.values() for streams in self._in_step.values()))

    def after(self, position: int) -> list[Entry]:
        """Return the entries in memory that follow `position` (not before `tail_start`), as many as a chunk holds."""
        missing = self.head - max(position, self.tail_start)
        if missing <= 0:
            return []
        first = len(self._tail) - missing
        return portion(self._tail[index] for index in range(first, len(self._tail)))

    def chunk(self, entries: list[Entry], format: str) -> Chunk:
        """Return the entries' frames joined. The streams of a room mostly ask for the same ones at the same time."""
        key = (entries[0].position, entries[-1].position, format)
        if key not in self._chunks:
            chunk = Chunk(b"".join(entry.frame(format) for entry in entries))
            if self._chunks_bytes + len(chunk.framed) > CHUNKS_BYTES:
                self._forget_chunks()
            self._chunks[key] = chunk
            self._chunks_bytes += len(chunk.framed)
        return self._chunks[key]

    def _forget_chunks(self) -> None:
        self._chunks.clear()
        self._chunks_bytes = 0

    def _keep(self, entry: Entry) -> None:
        self._tail.append(entry)
        self._tail_bytes += entry.size
        while len(self._tail) > TAIL_ENTRIES or (self._tail_bytes > TAIL_BYTES and len(self._tail) > 1):
            self._tail_bytes -= self._tail.popleft().size

    def _bring_up_to_date(self, newer: Entry) -> None:
        stale = [index for index, entry in enumerate(self._tail) if entry.quotes == newer.subject]
        for _ in range(stale[-1] + 1 if stale else 0):
            self._tail.popleft()
        for entry in self._tail:
            if entry.subject == newer.subject:
                entry.take_state_of(newer)
        self._tail_bytes = sum(entry.size for entry in self._tail)
