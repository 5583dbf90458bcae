"""All of this process's streams: one listener, one reader thread, one wheel of timers."""

from __future__ import annotations

import asyncio
import json
import logging
import time
import uuid
from collections import defaultdict, deque
from contextlib import suppress
from typing import Any

from django.db import DatabaseError

from project.realtime import sse
from project.realtime.addresses import Addresses
from project.realtime.connection import taken_over
from project.realtime.elsewhere import Elsewhere
from project.realtime.following import Followed, Following
from project.realtime.listener import Listener
from project.realtime.notify import ACTIVITY_CHANNEL, CONTROL_CHANNEL, publish_all
from project.realtime.passing import next_portion
from project.realtime.reader import ReaderThread, connection_settings, why
from project.realtime.repeating import repeated
from project.realtime.returning import Returning
from project.realtime.revoking import Revoking
from project.realtime.source import Source
from project.realtime.stepping import SteppedWire
from project.realtime.subscription import Admission, Leg, Subscription, revoked_frame
from project.realtime.wire import Receive, Send

logger = logging.getLogger(__name__)

RECONCILE_SECONDS = 2.0
RECHECK_SECONDS = 30.0
TICK_SECONDS = 1.0
PING_TICKS = 20
STREAMS_PER_VIEWER = 8
STREAMS_PER_PROCESS = 10_000


class Hub:
    """Lives in one event loop, from `start` to `stop`; every method runs there."""

    def __init__(self, source: Source, *, streams_per_address: int | None = None) -> None:
        self._source = source
        self._addresses = Addresses(streams_per_address)
        self.returning = Returning()
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Begin to listen in the running event loop; calling it again there does nothing."""
        loop = asyncio.get_running_loop()
        if self._loop is loop:
            return
        self._loop = loop
        self._by_viewer: defaultdict[int, deque[Subscription]] = defaultdict(deque)
        self._wheel: list[set[Subscription]] = [set() for _ in range(PING_TICKS)]
        self._tick = 0
        self._is_draining = False
        self._reader = ReaderThread()
        self._revoking = Revoking(self._source, self._reader, self._subscriptions, self._streams_of)
        self._elsewhere = Elsewhere(self._source, self._reader, self._streams_of)
        self.listener = Listener(connection_settings, self._heard, self._reconnected)
        self.following = Following(
            self._source,
            self._reader,
            self.listener,
            self.returning,
            process=uuid.uuid4().hex[:12],
            honour=self._revoking.honour,
        )
        self.listener.start()
        for channel in (CONTROL_CHANNEL, ACTIVITY_CHANNEL):
            self.following.spawn(self.listener.add(channel))
        chores = (
            (self.following.reconcile, RECONCILE_SECONDS),
            (self._tick_once, TICK_SECONDS),
            (self._tell, TICK_SECONDS),  # beside the tick: it waits for the database, as a ping must not
            (self._revoking.recheck, RECHECK_SECONDS),
        )
        self._chores = [loop.create_task(repeated(chore, seconds)) for chore, seconds in chores]

    async def stop(self) -> None:
        if self._loop is None:
            return
        for chore in self._chores:
            chore.cancel()
            with suppress(asyncio.CancelledError):
                await chore
        await self.listener.stop()
        self._reader.close()
        self._loop = None

    def drain(self) -> None:
        """End every stream, telling each client to come back after a time of its own; give out no more."""
        self._is_draining = True
        bye = sse.frame("bye", {"longest_retry": self.returning.longest})
        for subscription in self._subscriptions():
            subscription.end(self.returning.retry() + bye)

    @property
    def is_started(self) -> bool:
        return self._loop is not None

    @property
    def stream_count(self) -> int:
        return sum(len(bucket) for bucket in self._wheel)

    def _subscriptions(self) -> list[Subscription]:
        return [subscription for bucket in self._wheel for subscription in bucket]

    def _streams_of(self, viewer: int) -> list[Subscription]:
        return list(self._by_viewer.get(viewer, ()))

    async def serve(self, admission: Admission, receive: Receive, send: Send) -> None:
        """Begin to write a stream's frames; returns when the request may be forgotten, as the server's wire has it."""
        self.start()
        followed = [await self.following.follow(ticket) for ticket in admission.tickets]
        legs = [Leg(ticket, each.feed) for ticket, each in zip(admission.tickets, followed, strict=True)]
        answer = b""
        if not await self._revoking.are_good(admission.tickets):
            answer = revoked_frame(admission.tickets[0])
        elif any(self.following.get(each.feed.key) is not each for each in followed) or self._is_draining:
            answer = self.returning.retry()
        elif self.stream_count >= STREAMS_PER_PROCESS or self._addresses.is_full(admission.address):
            answer = await self._portion(admission, legs)
        if answer:
            await send({"type": "http.response.body", "body": answer, "more_body": False})
            return
        wire = taken_over(send) or SteppedWire(send)
        subscription = Subscription(
            legs,
            wire,
            returning=self.returning,
            read_after=self.following.replay_after,
            leg_ended=self._leave_log,
            left=self._leave,
            is_compound=admission.is_compound,
            address=admission.address,
        )
        self._join(subscription)
        try:
            subscription.open()
            for each in followed:
                if each.presence.frame:
                    subscription.offer(each.presence.frame)
        except BaseException:
            subscription.close()
            raise
        await wire.wait_gone(receive)

    async def _portion(self, admission: Admission, legs: list[Leg]) -> bytes:
        portion = await next_portion(
            legs,
            returning=self.returning,
            read_after=self.following.replay_after,
            is_compound=admission.is_compound,
        )
        is_good = await self._revoking.are_good(admission.tickets)
        return portion if is_good else revoked_frame(admission.tickets[0])

    def _join(self, subscription: Subscription) -> None:
        self.returning.count_opened(self.stream_count)
        self._addresses.enter(subscription.address)
        viewer = subscription.viewer
        for leg in subscription.legs:
            leg.feed.subscriptions.add(subscription)
            self.following.enter(leg.feed, viewer)
        self._wheel[(id(subscription) >> 4) % PING_TICKS].add(subscription)
        streams = self._by_viewer[viewer]
        streams.append(subscription)
        self._elsewhere.look_up(viewer)  # also for another tab: it may have slept through what was read
        if len(streams) > STREAMS_PER_VIEWER:
            streams[0].end(sse.frame("replaced", {}))

    def _leave(self, subscription: Subscription) -> None:
        viewer = subscription.viewer
        self._addresses.leave(subscription.address)
        for leg in subscription.legs:
            self._leave_log(subscription, leg)
        self._wheel[(id(subscription) >> 4) % PING_TICKS].discard(subscription)
        self._by_viewer[viewer].remove(subscription)
        if not self._by_viewer[viewer]:
            del self._by_viewer[viewer]
        self._elsewhere.look_up(viewer)

    def _leave_log(self, subscription: Subscription, leg: Leg) -> None:
        leg.feed.leave(subscription)
        self.following.leave(leg.feed, subscription.viewer)

    def _heard(self, channel: str, payload: str) -> None:
        followed = self.following.on_channel(channel)
        try:
            if channel == CONTROL_CHANNEL:
                self.following.spawn(self._revoking.recheck(self._revoking.hear(payload)))
            elif channel == ACTIVITY_CHANNEL:
                self._elsewhere.hear(payload)
            elif followed and payload.startswith("{"):
                self._hear_ephemeral(followed, json.loads(payload))
            elif followed:
                self.following.wake(followed, int(payload))
        except (ArithmeticError, KeyError, RecursionError, TypeError, ValueError):
            # Anybody who may connect to the database can NOTIFY.
            logger.warning("A wake-up on %s was not one of Earshot's", channel)

    def _hear_ephemeral(self, followed: Followed, payload: dict[str, Any]) -> None:
        if "presence" in payload:
            followed.presence.hear(payload["presence"], time.monotonic())
            return
        frame = sse.frame(str(payload["event"]), payload["data"])
        for subscription in tuple(followed.feed.subscriptions):
            viewer = subscription.viewer
            if viewer in payload["only"] if "only" in payload else viewer != payload["sender"]:
                subscription.offer(frame)

    def _reconnected(self) -> None:
        self.following.spawn(self.following.reconcile())
        self.following.spawn(self._revoking.recheck())

    async def _tick_once(self) -> None:
        now = time.monotonic()
        self._ping(now)
        self.following.drop_idle(now)
        self._revoking.forget_old(now)

    def _ping(self, now: float) -> None:
        """Ping a twentieth of the streams, and end those of them that have lived long enough."""
        self.returning.tick(self.stream_count)
        self._tick = (self._tick + 1) % PING_TICKS
        for subscription in tuple(self._wheel[self._tick]):
            if now > subscription.expires_at:
                subscription.end(self.returning.retry())
            else:
                subscription.offer(self.returning.ping())

    async def _tell(self) -> None:
        try:
            await self._tell_presence(time.monotonic())
            await self._elsewhere.tell()
        except DatabaseError as error:
            logger.warning("Presence and unread hints have to wait: %s", why(error))

    async def _tell_presence(self, now: float) -> None:
        reports = []
        for followed in self.following:
            if frame := followed.presence.frame_due(now):
                for subscription in tuple(followed.feed.subscriptions):
                    subscription.offer(frame)
            if report := followed.presence.report_due(now):
                reports.append((followed.feed.channel, report))
        if reports:
            await self._reader.run(publish_all, reports)
