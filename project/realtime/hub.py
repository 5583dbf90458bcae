"""All of this process's feeds and streams: one listener, one reader thread, one wheel of timers."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict, deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.db import DatabaseError

from project.realtime import sse
from project.realtime.feed import CHUNK_ENTRIES, Entry, Feed
from project.realtime.listener import Listener
from project.realtime.reader import ReaderThread, connection_settings
from project.realtime.subscription import Receive, Send, Subscription, Ticket

logger = logging.getLogger(__name__)

CONTROL_CHANNEL = "earshot_control"
RECONCILE_SECONDS = 2.0
RECHECK_SECONDS = 30.0
PING_SECONDS = 20
LINGER_SECONDS = 30.0
STREAMS_PER_VIEWER = 8
STREAMS_PER_PROCESS = 10_000


class Source(Protocol):
    """What the hub asks of whoever keeps the logs. Called in the reader thread; may raise `DatabaseError`."""

    def read_after(self, key: int, position: int, limit: int) -> list[Entry]:
        """Return up to `limit` entries of a log after a position, consecutive and in order."""

    def heads(self, keys: list[int]) -> dict[int, int]:
        """Return the last position of each log; a log that is no more is absent."""

    def revoked(self, tickets: list[Ticket]) -> set[Ticket]:
        """Return the tickets that would not be given out any more."""


@dataclass(slots=True)
class _Followed:
    feed: Feed
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    wanted: int = 0  # the highest position hinted at
    hints: int = 0  # how many there have been
    reading: asyncio.Task[None] | None = None
    idle_since: float | None = None


class Hub:
    """Lives in one event loop, from `start` to `stop`; every method runs there."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._reset()

    def _reset(self) -> None:
        self._followed: dict[int, _Followed] = {}
        self._by_channel: dict[str, _Followed] = {}
        self._by_viewer: defaultdict[int, deque[Subscription]] = defaultdict(deque)
        self._wheel: list[set[Subscription]] = [set() for _ in range(PING_SECONDS)]
        self._tick = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._spawned: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._draining = False
        self.reconciled_at = 0.0  # time.monotonic() of the last look at the table that succeeded

    def start(self) -> None:
        """Begin to listen in the running event loop; calling it again there does nothing."""
        loop = asyncio.get_running_loop()
        if self._loop is loop:
            return
        self._reset()
        self._loop = loop
        self._reader = ReaderThread()
        self.listener = Listener(connection_settings, self._heard, self._reconnected)
        self.listener.start()
        for repeated in (self._reconcile_for_ever, self._turn_wheel_for_ever, self._recheck_for_ever):
            self._tasks.append(loop.create_task(repeated(), name=repeated.__name__))

    async def stop(self) -> None:
        if self._loop is None:
            return
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await self.listener.stop()
        self._reader.close()
        self._loop = None

    def drain(self) -> None:
        """End every stream, telling each client to come back after a time of its own; give out no more."""
        self._draining = True
        for subscription in self._subscriptions():
            subscription.end(sse.retry() + sse.frame("bye", {}))

    @property
    def is_started(self) -> bool:
        return self._loop is not None

    @property
    def stream_count(self) -> int:
        return sum(len(bucket) for bucket in self._wheel)

    def _subscriptions(self) -> list[Subscription]:
        return [subscription for bucket in self._wheel for subscription in bucket]

    async def serve(self, ticket: Ticket, receive: Receive, send: Send, abort: Callable[[], None]) -> None:
        """Write a stream's frames until either side ends it."""
        self.start()
        if self._draining or self.stream_count >= STREAMS_PER_PROCESS:
            await send({"type": "http.response.body", "body": sse.retry(), "more_body": False})
            return
        followed = await self._follow(ticket)
        if self._followed.get(ticket.key) is not followed:
            await send({"type": "http.response.body", "body": sse.retry(), "more_body": False})
            return
        subscription = Subscription(ticket, followed.feed, send, self._read_after, abort)
        self._join(subscription)
        try:
            subscription.open()
            await subscription.wait_closed(receive)
        finally:
            self._leave(subscription)

    async def _follow(self, ticket: Ticket) -> _Followed:
        """Return the ticket's log, followed: LISTENed to, and read up to what was there when that began."""
        followed = self._followed.get(ticket.key)
        if followed is None:
            followed = _Followed(Feed(ticket.key, ticket.channel, head=ticket.authorized_at))
            self._followed[ticket.key] = self._by_channel[ticket.channel] = followed
            followed.idle_since = time.monotonic()
            self._spawn(self._begin(followed))
        await followed.ready.wait()
        if ticket.authorized_at > followed.feed.head:
            self._wake(followed, ticket.authorized_at)
        return followed

    async def _begin(self, followed: _Followed) -> None:
        await self.listener.add(followed.feed.channel)
        # What was committed between the view's look and the LISTEN had no hint that this process could hear.
        self._wake(followed, followed.feed.head + 1)
        followed.ready.set()

    def _join(self, subscription: Subscription) -> None:
        feed = subscription.feed
        feed.subscriptions.add(subscription)
        self._followed[feed.key].idle_since = None
        self._wheel[hash(id(subscription) >> 4) % PING_SECONDS].add(subscription)
        viewers = self._by_viewer[subscription.ticket.viewer]
        viewers.append(subscription)
        if len(viewers) > STREAMS_PER_VIEWER:
            viewers[0].end(sse.frame("replaced", {}))

    def _leave(self, subscription: Subscription) -> None:
        feed, viewer = subscription.feed, subscription.ticket.viewer
        feed.subscriptions.discard(subscription)
        followed = self._followed.get(feed.key)
        if followed and not feed.subscriptions:
            followed.idle_since = time.monotonic()
        for bucket in self._wheel:
            bucket.discard(subscription)
        with suppress(ValueError):
            self._by_viewer[viewer].remove(subscription)
        if not self._by_viewer[viewer]:
            del self._by_viewer[viewer]

    def _heard(self, channel: str, payload: str) -> None:
        if channel == CONTROL_CHANNEL:
            self._spawn(self._recheck(payload))
        elif (followed := self._by_channel.get(channel)) and payload.isascii() and payload.isdigit():
            self._wake(followed, int(payload))

    def _reconnected(self) -> None:
        self._spawn(self._reconcile())

    def _wake(self, followed: _Followed, position: int) -> None:
        """Have the log read up to a position; hints that come while it is being read are taken along."""
        followed.wanted = max(followed.wanted, position)
        followed.hints += 1
        if followed.wanted > followed.feed.head and followed.reading is None:
            followed.reading = asyncio.create_task(self._catch_up(followed))

    async def _catch_up(self, followed: _Followed) -> None:
        feed = followed.feed
        try:
            while followed.wanted > feed.head:
                hints = followed.hints
                entries = await self._read_after(feed.key, feed.head, CHUNK_ENTRIES)
                if not entries and hints == followed.hints:
                    followed.wanted = feed.head  # a hint of what is not there is not believed
                feed.append(entries)
        except DatabaseError as error:
            logger.warning("The log of %s could not be read: %s", feed.channel, type(error).__name__)
        except Exception:
            logger.exception("The log of %s can't be followed on; its streams start anew.", feed.channel)
            self._drop(followed)
        finally:
            followed.reading = None

    async def _read_after(self, key: int, position: int, limit: int) -> list[Entry]:
        return await self._reader.run(self._source.read_after, key, position, limit)

    def _drop(self, followed: _Followed) -> None:
        """Forget a log: its streams end, and their clients ask again from where they are."""
        self._followed.pop(followed.feed.key, None)
        self._by_channel.pop(followed.feed.channel, None)
        for subscription in tuple(followed.feed.subscriptions):
            subscription.end(sse.retry())
        self._spawn(self.listener.remove(followed.feed.channel))

    async def _reconcile_for_ever(self) -> None:
        await self.listener.add(CONTROL_CHANNEL)
        while True:
            await self._reconcile()
            await asyncio.sleep(RECONCILE_SECONDS)

    async def _reconcile(self) -> None:
        """Compare the heads of all logs followed here with the table, in one query: a lost wake-up ends here."""
        followed_now = dict(self._followed)
        try:
            heads = await self._reader.run(self._source.heads, list(followed_now))
        except DatabaseError as error:
            logger.warning("The logs' heads could not be read: %s", type(error).__name__)
            return
        self.reconciled_at = time.monotonic()
        for key, followed in followed_now.items():
            head = heads.get(key)
            if head is None or (head < followed.feed.head and followed.reading is None):
                self._drop(followed)  # deleted, or restored to an earlier state
            else:
                self._wake(followed, head)

    async def _turn_wheel_for_ever(self) -> None:
        """Once a second: ping a twentieth of the streams, end those that have lived long enough, forget idle logs."""
        while True:
            await asyncio.sleep(1)
            self._tick = (self._tick + 1) % PING_SECONDS
            now = time.monotonic()
            for subscription in tuple(self._wheel[self._tick]):
                if now > subscription.expires_at:
                    subscription.end(sse.retry())
                else:
                    subscription.offer(sse.PING)
            for followed in tuple(self._followed.values()):
                if followed.idle_since is not None and now - followed.idle_since > LINGER_SECONDS:
                    self._drop(followed)

    async def _recheck_for_ever(self) -> None:
        while True:
            await asyncio.sleep(RECHECK_SECONDS)
            await self._recheck()

    async def _recheck(self, only: str | None = None) -> None:
        """Ask whether the open streams would still be given out, and end those that would not.

        `only` is a control channel's payload: `user:<id>`, or nothing for all of them.
        """
        subscriptions = self._named_by(only) if only else self._subscriptions()
        try:
            revoked = await self._reader.run(self._source.revoked, [each.ticket for each in subscriptions])
        except DatabaseError as error:
            logger.warning("The open streams could not be checked: %s", type(error).__name__)
            return
        for subscription in subscriptions:
            if subscription.ticket in revoked:
                subscription.end(sse.frame("revoked", {"position": subscription.position}))

    def _named_by(self, payload: str) -> list[Subscription]:
        kind, _, viewer = payload.partition(":")
        if kind != "user" or not (viewer.isascii() and viewer.isdigit()):
            return []
        return list(self._by_viewer.get(int(viewer), ()))

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(coroutine)
        self._spawned.add(task)
        task.add_done_callback(self._spawned.discard)
