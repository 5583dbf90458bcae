"""The logs that this process follows: which, how far, and what makes it read on."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError

from project.realtime.feed import CHUNK_ENTRIES, Entry, Feed
from project.realtime.listener import Listener
from project.realtime.presence import Presence
from project.realtime.reader import ReaderThread, why
from project.realtime.returning import Returning
from project.realtime.source import Source
from project.realtime.subscription import Ticket

logger = logging.getLogger(__name__)

LINGER_SECONDS = 30.0
# A burst is read, and written to each socket, in portions of so many seconds, the more the longer it is under way.
# A message that comes alone does not wait.
PORTION_SECONDS = (0.01, 0.08)
BURST_ENTRIES = 4  # in one portion


@dataclass(slots=True, eq=False)
class Followed:
    feed: Feed
    presence: Presence
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    wanted: int = 0  # the highest position hinted at
    hints: int = 0  # how many there have been
    read_at: float = 0.0  # time.monotonic() of the last look at the table
    portion: float = PORTION_SECONDS[0]  # how long to wait from then to the next
    reading: asyncio.Task[None] | None = None
    idle_since: float | None = None  # time.monotonic() of when the last stream left


class Following:
    """Lives in one event loop, as the hub that owns it does."""

    def __init__(
        self,
        source: Source,
        reader: ReaderThread,
        listener: Listener,
        returning: Returning,
        process: str,
        honour: Callable[[int], Awaitable[None]],
    ) -> None:
        """`honour(era)` is awaited between the reading of entries and their showing."""
        self._source = source
        self._reader = reader
        self._listener = listener
        self._returning = returning
        self._process = process
        self._honour = honour
        self._followed: dict[int, Followed] = {}
        self._by_channel: dict[str, Followed] = {}
        self._spawned: set[asyncio.Task[None]] = set()
        self.started_at = time.monotonic()
        self.reconciled_at: float | None = None  # time.monotonic() of the last look at the table that succeeded

    def __iter__(self) -> Iterator[Followed]:
        return iter(tuple(self._followed.values()))

    def get(self, key: int) -> Followed | None:
        return self._followed.get(key)

    def on_channel(self, channel: str) -> Followed | None:
        return self._by_channel.get(channel)

    async def follow(self, ticket: Ticket) -> Followed:
        """Return the ticket's log, followed: LISTENed to, and about to be read up to what was there when that began."""
        followed = self._followed.get(ticket.key)
        if followed is None:
            feed = Feed(ticket.key, ticket.channel, head=ticket.authorized_at)
            followed = Followed(feed, Presence(self._process), idle_since=time.monotonic())
            self._followed[ticket.key] = self._by_channel[ticket.channel] = followed
            self.spawn(self._begin(followed))
        await followed.ready.wait()
        if ticket.authorized_at > followed.feed.head:
            self.wake(followed, ticket.authorized_at)
        return followed

    def enter(self, feed: Feed, viewer: int) -> None:
        """Count a viewer who begins to read a followed log."""
        if followed := self._followed.get(feed.key):
            followed.idle_since = None
            followed.presence.join(viewer)

    def leave(self, feed: Feed, viewer: int) -> None:
        """Count a viewer out who was counted in; of a log that was dropped meanwhile nothing is counted any more."""
        followed = self._followed.get(feed.key)
        if followed and followed.feed is feed:
            now = time.monotonic()
            followed.presence.leave(viewer, now)
            if not feed.subscriptions:
                followed.idle_since = now

    async def _begin(self, followed: Followed) -> None:
        try:
            await self._listener.add(followed.feed.channel)
        finally:
            # What was committed between the view's look and the LISTEN had no hint that this process could hear.
            self.wake(followed, followed.feed.head + 1)
            followed.ready.set()

    def wake(self, followed: Followed, position: int) -> None:
        """Have the log read up to a position; hints that come while it is being read are taken along."""
        followed.wanted = max(followed.wanted, position)
        followed.hints += 1
        if followed.wanted > followed.feed.head and followed.reading is None:
            followed.reading = asyncio.create_task(self._catch_up(followed))

    async def _catch_up(self, followed: Followed) -> None:
        feed = followed.feed
        try:
            while followed.wanted > feed.head:
                if (pause := followed.read_at + followed.portion - time.monotonic()) > 0:
                    await asyncio.sleep(pause)
                followed.read_at = time.monotonic()
                hints = followed.hints
                entries = await self.read_after(feed.key, feed.head, CHUNK_ENTRIES)
                if not entries and hints == followed.hints:
                    followed.wanted = feed.head  # a hint of what is not there is not believed
                feed.append(entries)
                shortest, longest = PORTION_SECONDS
                if len(entries) >= BURST_ENTRIES:
                    followed.portion = min(2 * followed.portion, longest)
                else:
                    followed.portion = max(followed.portion / 2, shortest)
        except DatabaseError as error:
            logger.warning("The log of %s could not be read: %s", feed.channel, why(error))
        except Exception:
            logger.exception("The log of %s can't be followed on; its streams start anew.", feed.channel)
            self.drop(followed)
        finally:
            followed.reading = None

    async def read_after(self, key: int, position: int, limit: int) -> list[Entry]:
        return await self._honoured(await self._reader.run(self._source.read_after, key, position, limit, rows=True))

    async def replay_after(self, key: int, position: int, limit: int, rows: bool) -> list[Entry]:
        """Read entries for one stream that is behind the feed; whoever is not comes first."""
        read = self._source.read_after
        return await self._honoured(await self._reader.run_patiently(read, key, position, limit, rows=rows))

    async def _honoured(self, entries: list[Entry]) -> list[Entry]:
        if entries:
            await self._honour(entries[-1].era)
        return entries

    def drop(self, followed: Followed) -> None:
        """Forget a log: its streams end, and their clients ask again from where they are."""
        if self._followed.get(followed.feed.key) is not followed:
            return
        del self._followed[followed.feed.key]
        del self._by_channel[followed.feed.channel]
        followed.ready.set()  # whoever waits for it finds it dropped
        for subscription in tuple(followed.feed.subscriptions):
            subscription.end(self._returning.retry())
        self.spawn(self._listener.remove(followed.feed.channel))

    def drop_idle(self, now: float) -> None:
        for followed in self:
            if followed.idle_since is not None and now - followed.idle_since > LINGER_SECONDS:
                self.drop(followed)

    async def reconcile(self) -> None:
        """Compare the heads of all logs followed here with the table, in one query: a lost wake-up ends here."""
        heads_before = {followed: followed.feed.head for followed in self}
        try:
            heads = await self._reader.run(self._source.heads, [followed.feed.key for followed in heads_before])
        except DatabaseError as error:
            logger.warning("The logs' heads could not be read: %s", why(error))
            return
        self.reconciled_at = time.monotonic()
        for followed, head_before in heads_before.items():
            head = heads.get(followed.feed.key)
            if head is None or head < head_before:
                self.drop(followed)  # deleted, or restored to an earlier state
            else:
                self.wake(followed, head)

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine beside, held until it is done."""
        task = asyncio.create_task(coroutine)
        self._spawned.add(task)
        task.add_done_callback(self._spawned.discard)
