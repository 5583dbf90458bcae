"""One open stream: where its reader is in each log that it shows."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from project.realtime import sse
from project.realtime.feed import EVERYBODY, portion
from project.realtime.outbox import Outbox
from project.realtime.returning import Returning
from project.realtime.wire import Chunk, Wire

if TYPE_CHECKING:
    from project.realtime.feed import Entry, Feed

logger = logging.getLogger(__name__)

REPLAY_MAX = 500  # events; a page further behind than this is told to load anew
REPLAY_ENTRIES = 20  # read from the table at once: what is new in other logs waits for no more than that
LIFE_SECONDS = 15 * 60.0

ReadAfter = Callable[[int, int, int, bool], Awaitable[list["Entry"]]]


@dataclass(frozen=True, slots=True)
class Ticket:
    """The right to one log in a stream, as the view found it: whose, of which log, from where on.

    `authorized_at` is the log's last position in the same snapshot in which the viewer was found to be a member:
    an entry after it that ends the viewer's right is about this right, one before it about an earlier one.
    The viewer may only read what stands after `floor`.
    """

    key: int
    channel: str
    name: str
    viewer: int
    session: str
    position: int
    authorized_at: int
    format: str = "json"
    reset: bool = False
    floor: int = 0


@dataclass(frozen=True, slots=True)
class Admission:
    """The right to one stream: of one log, or of several under a compound cursor; and from where it was asked for."""

    tickets: tuple[Ticket, ...]
    is_compound: bool = False
    address: str = ""


class Leg:
    """One log of a stream, and how far the stream is in it."""

    __slots__ = ("_position", "feed", "page", "ticket")

    def __init__(self, ticket: Ticket, feed: Feed) -> None:
        self.ticket = ticket
        self.feed = feed
        self.page = REPLAY_ENTRIES
        self._position: int | None = ticket.authorized_at if ticket.reset else ticket.position

    @property
    def position(self) -> int:
        """The last one that was sent: in step with the feed, that is the feed's own."""
        return self.feed.head if self._position is None else self._position

    @position.setter
    def position(self, position: int) -> None:
        self._position = position

    def get_in_step(self) -> None:
        self._position = None


class Subscription(Outbox):
    """Sends the entries of one log, or of several, to one socket.

    There is no queue: while the socket is full nothing is added, and when it takes bytes again the subscription goes on
    from its positions, out of the feeds' memory or, further behind, out of the table. A slow reader so costs one chunk.
    """

    __slots__ = (
        "_is_compound",
        "_left",
        "_leg_ended",
        "_read_after",
        "_returning",
        "_shares_all",
        "address",
        "expires_at",
        "format",
        "legs",
        "session",
        "viewer",
    )

    def __init__(
        self,
        legs: Sequence[Leg],
        wire: Wire,
        *,
        returning: Returning,
        read_after: ReadAfter,
        leg_ended: Callable[[Subscription, Leg], None],
        left: Callable[[Subscription], None],
        is_compound: bool = False,
        address: str = "",
    ) -> None:
        super().__init__(wire)
        self.legs = list(legs)
        self.viewer = legs[0].ticket.viewer
        self.address = address
        self.session = legs[0].ticket.session
        self.format = legs[0].ticket.format
        self.expires_at = time.monotonic() + LIFE_SECONDS * random.uniform(0.8, 1.2)  # noqa: S311
        self._returning = returning
        self._read_after = read_after
        self._leg_ended = leg_ended
        self._left = left
        self._is_compound = is_compound
        self._shares_all = not (is_compound or self.legs[0].ticket.floor)

    @property
    def shown(self) -> frozenset[int]:
        """The logs that it shows, by their keys."""
        return frozenset(leg.ticket.key for leg in self.legs)

    def open(self) -> None:
        """Send the first bytes, and all that is already known beyond the cursor."""
        resets = [self._reset_frame(leg) for leg in self.legs if leg.ticket.reset]
        self.wire.write(Chunk(self._returning.retry() + b"".join(resets)))
        self.pump()

    async def send_once(self) -> None:
        """Send what the socket takes of what is known, and return when that has been read."""
        self.pump()
        if self._reading:
            await self._reading

    def left(self) -> None:
        self._left(self)

    def pump(self) -> None:
        """Send what the feeds have beyond the positions, as long as the socket takes it."""
        while self.is_free:
            leg = next((leg for leg in self.legs if leg.position < leg.feed.head), None)
            if leg is None:
                self._get_in_step()
                return
            if leg.position < leg.feed.tail_start:
                self._fall_back(leg)
            else:
                self._send_entries(leg, leg.feed.after(leg.position), are_shared=True)

    def fall_behind(self, position: int) -> None:
        """Go on by oneself from a position: the feed writes nothing here any more."""
        self.legs[0].position = position

    def _get_in_step(self) -> None:
        leg = self.legs[0]
        if self._shares_all and leg.position == leg.feed.head:
            leg.get_in_step()
            leg.feed.get_in_step(self)

    def revoke(self, leg: Leg) -> None:
        """End one log's part in the stream, and the stream with its last part."""
        frame = revoked_frame(leg.ticket, leg.position)
        if len(self.legs) == 1:
            self.end(frame)
            return
        self.legs.remove(leg)
        self._leg_ended(self, leg)
        self.offer(frame)

    def _send_entries(self, leg: Leg, entries: list[Entry], *, are_shared: bool) -> None:
        """Send entries; `are_shared` tells that they are the feed's own, which keeps what it joined of them."""
        kept = _entitled(leg, entries)
        is_renewed = any(_renews(leg, entry) for entry in kept[-1:])
        if kept and are_shared and self._shares_all:
            leg.position = kept[-1].position
            self.wire.write(leg.feed.chunk(kept, self.format))
        elif kept:
            self.wire.write(Chunk(self._encoded(leg, kept)))
        if is_renewed:
            self.end(self._returning.retry())
        elif len(kept) < len(entries):
            self.revoke(leg)

    def _encoded(self, leg: Leg, entries: list[Entry]) -> bytes:
        """Return the entries as frames, and move the leg's position behind them."""
        frames = []
        for entry in entries:
            leg.position = entry.position
            identity = self._cursor() if self._is_compound else None
            frames.append(entry.frame(self.format, identity, leg.ticket.floor))
        return b"".join(frames)

    def _cursor(self) -> str:
        """Return the positions in all logs of the stream: `key.position`, separated by commas."""
        return ",".join(f"{leg.ticket.key}.{leg.position}" for leg in self.legs)

    def _fall_back(self, leg: Leg) -> None:
        if self.format == "html" and leg.feed.head - leg.position > REPLAY_MAX:
            leg.position = leg.feed.head
            self.wire.write(Chunk(self._reset_frame(leg)))
        else:
            self._reading = asyncio.create_task(self._replay(leg))

    def _reset_frame(self, leg: Leg) -> bytes:
        return sse.frame("reset", {"room": leg.ticket.name, "position": leg.position})

    async def _replay(self, leg: Leg) -> None:
        """Read a page of a log from the table and send it; `pump` sees whether there is more to replay."""
        try:
            entries = await self._read_after(leg.feed.key, leg.position, leg.page, self.format == "html")
            if not entries:
                raise LookupError(f"there is nothing after {leg.position}")
        except Exception:
            logger.warning("A replay of %s was broken off", leg.feed.channel, exc_info=True)
            self.end(self._returning.retry())
            return
        finally:
            self._reading = None
        if self.is_free:
            if leg in self.legs:  # not revoked while they were read
                sent = portion(entries)
                leg.page = min(2 * len(sent), REPLAY_ENTRIES)  # of long messages, about as many as one chunk holds
                self._send_entries(leg, sent, are_shared=False)
            self.pump()


def revoked_frame(ticket: Ticket, position: int | None = None) -> bytes:
    """Return the frame after which no more of a log is shown, and the last position that was."""
    return sse.frame("revoked", {"room": ticket.name, "position": ticket.position if position is None else position})


def _entitled(leg: Leg, entries: list[Entry]) -> list[Entry]:
    """Return the entries up to the one that ends the viewer's right to this log, and with it if it renews that."""
    for index, entry in enumerate(entries):
        if _renews(leg, entry):
            return entries[: index + 1]
        if entry.ends_for in {leg.ticket.viewer, EVERYBODY} and entry.position > leg.ticket.authorized_at:
            return entries[:index]
    return entries


def _renews(leg: Leg, entry: Entry) -> bool:
    return entry.renews and entry.position > leg.ticket.authorized_at
