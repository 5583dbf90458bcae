"""What `unsafe_server` takes off the streams: one safety each, and nothing that a calm network would miss."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Iterable
from typing import Any

from messaging import stream
from project.management.commands import serve
from project.realtime import connection, hub
from project.realtime.feed import CHUNK_ENTRIES, Entry, Feed
from project.realtime.following import Followed, Following
from project.realtime.returning import Returning
from project.realtime.subscription import Leg, Subscription

BLOCKED_SECONDS = 2.0
PING_TICKS = 3  # of a second each: a ping comes oftener than in the shipped server, so that lateness shows soon
SLOTS = 30
FOR_EVER_SECONDS = 24 * 3600.0


def without_falling_back() -> None:
    """What comes while a socket takes no bytes is dropped: neither kept in memory nor read again from the log."""
    append = Feed.append

    def append_and_drop(feed: Feed, entries: Iterable[Entry]) -> None:
        append(feed, entries)
        for subscription in feed.subscriptions:
            if subscription.wire.is_full:
                subscription.fall_behind(feed.head)

    setattr(Feed, "append", append_and_drop)  # noqa: B010 (mypy forbids to assign to a method)


def without_resuming() -> None:
    """`Last-Event-ID` is not looked at: whoever comes back is shown what comes from now on."""

    def sent_cursor(_request: Any) -> None:
        return None

    setattr(stream, "_sent_cursor", sent_cursor)  # noqa: B010


def without_reading_the_table_again() -> None:
    """Whoever comes back is shown what is in memory, however far they are behind; nobody is told to load anew."""

    def fall_back(subscription: Subscription, leg: Leg) -> None:
        leg.position = leg.feed.tail_start
        subscription.pump()

    setattr(Subscription, "_fall_back", fall_back)  # noqa: B010
    setattr(stream, "REPLAY_MAX", FOR_EVER_SECONDS)  # noqa: B010


def without_catching_up() -> None:
    """A wake-up stands for the one message that it names, and of several heard at once the last one counts."""

    def wake(following: Following, followed: Followed, position: int) -> None:
        followed.wanted = position
        if followed.reading is None:
            followed.reading = asyncio.create_task(read_one(following, followed))

    async def read_one(following: Following, followed: Followed) -> None:
        feed = followed.feed
        while (position := followed.wanted) > feed.head:
            entries = await following.read_after(feed.key, position - 1, 1)
            feed.append(entries)
            if not entries:
                break  # it announced what is not there
        followed.reading = None

    setattr(Following, "wake", wake)  # noqa: B010
    without_gaps_noticed()


def without_gaps_noticed() -> None:
    """A feed takes whatever is newer than the last thing it took."""

    def append(feed: Feed, entries: Iterable[Entry]) -> None:
        feed.break_step(feed.head)
        for entry in entries:
            feed._tail.append(entry)
            feed.head = entry.position
        feed._chunks.clear()
        for subscription in tuple(feed.subscriptions):
            subscription.pump()

    def after(feed: Feed, position: int) -> list[Entry]:
        return [entry for entry in feed._tail if entry.position > position][:CHUNK_ENTRIES]

    setattr(Feed, "append", append)  # noqa: B010
    setattr(Feed, "after", after)  # noqa: B010


def with_few_slots() -> None:
    """Nothing is missing: a process gives out SLOTS streams, so that one that is never given back is missed."""
    hub.STREAMS_PER_PROCESS = SLOTS


def with_slots_kept() -> None:
    """A reader that has vanished without a word is never given up, and whoever gets no stream is shown nothing."""

    async def nothing(_legs: Any, *, returning: Returning, **_options: Any) -> bytes:
        return returning.retry()

    setattr(hub, "next_portion", nothing)  # noqa: B010
    with_few_slots()
    serve.VANISHED_MILLISECONDS = 0  # the kernel's own: a quarter of an hour
    setattr(connection, "WRITE_SECONDS", FOR_EVER_SECONDS)  # noqa: B010 (mypy forbids to assign to what it imports)


def with_blocking_signal() -> None:
    """Nothing is missing: SIGUSR1 blocks a worker's event loop for BLOCKED_SECONDS, as a careless call would."""
    signal.signal(signal.SIGUSR1, lambda _number, _frame: time.sleep(BLOCKED_SECONDS))
    hub.PING_TICKS = PING_TICKS


def with_blocking_signal_and_without_catching_up() -> None:
    with_blocking_signal()
    without_catching_up()


STREAMS: dict[str, Callable[[], None]] = {
    "falling back": without_falling_back,
    "resuming": without_resuming,
    "replay": without_reading_the_table_again,
    "few slots": with_few_slots,
    "slots freed": with_slots_kept,
    "nothing": with_blocking_signal,
    "catching up": with_blocking_signal_and_without_catching_up,
}
