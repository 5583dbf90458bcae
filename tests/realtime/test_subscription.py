from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, ClassVar

import pytest

from project.realtime import stepping
from project.realtime.feed import CHUNK_BYTES, TAIL_ENTRIES, Entry, Feed
from project.realtime.returning import Returning
from project.realtime.stepping import SteppedWire
from project.realtime.subscription import REPLAY_MAX, Leg, Subscription, Ticket
from project.realtime.wire import Chunk


class Socket:
    """What a server gives as `send`: takes everything at once until it is told to be full."""

    def __init__(self) -> None:
        self.written = b""
        self.ended = False
        self.aborted = False
        self.room = asyncio.Event()
        self.room.set()

    async def send(self, message: Mapping[str, Any]) -> None:
        await self.room.wait()
        self.written += message["body"]
        self.ended = not message["more_body"]

    def wire(self) -> SteppedWire:
        socket = self

        class AbortableWire(SteppedWire):
            def abort(self) -> None:
                socket.aborted = True
                super().abort()

        return AbortableWire(self.send)

    @property
    def ids(self) -> list[int]:
        return [int(line[4:]) for line in self.written.split(b"\n") if line.startswith(b"id: ")]


def entry(position: int, ends_for: int | None = None) -> Entry:
    return Entry(position, "message", {"position": position}, ends_for=ends_for)


def entries(first: int, last: int) -> list[Entry]:
    return [entry(position) for position in range(first, last + 1)]


def subscribe(
    feed: Feed,
    socket: Socket,
    *,
    position: int,
    authorized_at: int = 0,
    format: str = "json",
    table: int = 0,
    viewer: int = 5,
) -> Subscription:
    """Open a subscription on a feed whose log has `table` entries in the table."""

    async def read_after(_key: int, position: int, limit: int, _rows: bool) -> list[Entry]:
        return entries(position + 1, min(position + limit, table))

    ticket = Ticket(feed.key, feed.channel, "x", viewer, "session", position, authorized_at, format)
    opened = Subscription(
        [Leg(ticket, feed)],
        socket.wire(),
        returning=Returning(),
        read_after=read_after,
        leg_ended=lambda _stream, _leg: None,
        left=feed.leave,
    )
    feed.subscriptions.add(opened)
    opened.open()
    return opened


async def settled(condition: Callable[[], bool]) -> None:
    """Let the tasks run until they have brought the condition about."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 (nothing is polled: every turn of the loop moves the tasks on)
            await asyncio.sleep(0)


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


def test_live_entries_are_written_without_waiting() -> None:
    async def scenario() -> None:
        feed, socket = Feed(1, "room_x", head=3), Socket()
        subscribe(feed, socket, position=3)
        feed.append(entries(4, 5))
        assert socket.ids == [4, 5]
        assert socket.written.startswith(b"retry: ")

    run(scenario())


def test_blocked_reader_gets_what_it_missed_once_and_in_order() -> None:
    async def scenario() -> None:
        feed, socket = Feed(1, "room_x", head=0), Socket()
        subscribe(feed, socket, position=0)
        socket.room.clear()
        for position in range(1, 50):
            feed.append([entry(position)])
        assert socket.ids == []
        socket.room.set()
        await settled(lambda: len(socket.ids) == 49)
        feed.append([entry(50)])
        assert socket.ids == list(range(1, 51))

    run(scenario())


def test_reader_further_behind_than_memory_is_replayed_from_the_table() -> None:
    async def scenario() -> None:
        feed, socket = Feed(1, "room_x", head=0), Socket()
        feed.append(entries(1, TAIL_ENTRIES + 700))
        subscribe(feed, socket, position=0, table=TAIL_ENTRIES + 700)
        await settled(lambda: len(socket.ids) == TAIL_ENTRIES + 700)
        assert socket.ids == list(range(1, TAIL_ENTRIES + 701))

    run(scenario())


def test_page_too_far_behind_is_told_to_load_anew() -> None:
    async def scenario() -> None:
        feed, socket = Feed(1, "room_x", head=0), Socket()
        feed.append(entries(1, TAIL_ENTRIES + REPLAY_MAX + 1))
        opened = subscribe(feed, socket, position=0, format="html")
        assert b"event: reset" in socket.written
        assert socket.ids == []
        assert opened.legs[0].position == feed.head

    run(scenario())


def test_reader_ahead_of_this_process_gets_nothing_twice() -> None:
    async def scenario() -> None:
        feed, socket = Feed(1, "room_x", head=3), Socket()
        subscribe(feed, socket, position=5)
        feed.append(entries(4, 6))
        assert socket.ids == [6]

    run(scenario())


def test_stream_ends_at_the_removal() -> None:
    async def scenario() -> None:
        feed, socket = Feed(1, "room_x", head=1), Socket()
        opened = subscribe(feed, socket, position=1, authorized_at=1)
        feed.append([entry(2), entry(3, ends_for=5), entry(4)])
        assert socket.ids == [2]
        assert b"event: revoked" in socket.written
        assert socket.ended
        assert opened.closed

    run(scenario())


def test_the_others_are_shown_all_that_stands_around_a_removal() -> None:
    async def scenario() -> None:
        feed, removed, other, page = Feed(1, "room_x", head=1), Socket(), Socket(), Socket()
        subscribe(feed, removed, position=1, authorized_at=1)
        subscribe(feed, other, position=1, authorized_at=1, viewer=6)
        subscribe(feed, page, position=1, authorized_at=1, viewer=7, format="html")
        feed.append([entry(2), entry(3, ends_for=5), entry(4)])
        feed.append([entry(5)])
        assert removed.ids == [2]
        assert other.ids == page.ids == [2, 3, 4, 5]

    run(scenario())


def test_reader_who_is_blocked_again_and_again_misses_nothing() -> None:
    async def scenario() -> None:
        feed, slow, steady = Feed(1, "room_x", head=0), Socket(), Socket()
        for socket in (slow, steady):
            subscribe(feed, socket, position=0)
        for first in range(1, 31, 3):
            slow.room.clear()
            feed.append([entry(first)])
            feed.append([entry(first + 1)])
            slow.room.set()
            await settled(lambda until=first + 1: slow.ids[-1:] == [until])  # type: ignore[misc]  # a default binds the value
            feed.append([entry(first + 2)])
        assert slow.ids == steady.ids == list(range(1, 31))

    run(scenario())


def test_removal_of_somebody_else_or_before_this_right_ends_nothing() -> None:
    async def scenario() -> None:
        feed, socket = Feed(1, "room_x", head=0), Socket()
        feed.append([entry(1, ends_for=5), entry(2, ends_for=6)])
        opened = subscribe(feed, socket, position=0, authorized_at=2)
        assert socket.ids == [1, 2]
        assert not opened.closed

    run(scenario())


def test_reader_who_takes_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stepping, "WRITE_SECONDS", 0.05)

    async def scenario() -> None:
        feed, socket = Feed(1, "room_x", head=0), Socket()
        opened = subscribe(feed, socket, position=0)
        socket.room.clear()
        feed.append([entry(1)])
        await settled(lambda: opened.closed)
        assert socket.aborted

    run(scenario())


def test_ephemeral_frames_are_dropped_for_a_blocked_reader() -> None:
    async def scenario() -> None:
        feed, socket = Feed(1, "room_x", head=0), Socket()
        opened = subscribe(feed, socket, position=0)
        socket.room.clear()
        feed.append([entry(1)])
        opened.offer(b"event: ping\ndata: {}\n\n")
        socket.room.set()
        await settled(lambda: socket.ids == [1])
        assert b"ping" not in socket.written
        opened.offer(b"event: ping\ndata: {}\n\n")
        assert b"ping" in socket.written

    run(scenario())


def test_long_messages_are_written_and_replayed_a_chunk_at_a_time() -> None:
    def long(position: int) -> Entry:
        return Entry(position, "message", {"position": position}, state={"text": "x" * 8_000}, row="x" * 8_000)

    asked: list[tuple[int, int]] = []

    async def read_after(_key: int, position: int, limit: int, _rows: bool) -> list[Entry]:
        asked.append((position, limit))
        return [long(each) for each in range(position + 1, min(position + limit, 60) + 1)]

    async def scenario() -> None:
        feed, live, behind = Feed(1, "room_x", head=60), Socket(), Socket()
        for socket, position in ((live, 60), (behind, 0)):
            ticket = Ticket(1, "room_x", "x", 5, "session", position, 0, "html")
            wire = Sized(socket.send)
            stream = Subscription(
                [Leg(ticket, feed)],
                wire,
                returning=Returning(),
                read_after=read_after,
                leg_ended=lambda _stream, _leg: None,
                left=feed.leave,
            )
            feed.subscriptions.add(stream)
            stream.open()
        await settled(lambda: len(behind.ids) == 60)
        feed.append([long(position) for position in range(61, 121)])
        for socket, first in ((live, 61), (behind, 1)):
            assert socket.ids == list(range(first, 121))

    run(scenario())
    assert max(Sized.sizes) <= 1.1 * CHUNK_BYTES
    assert max(Sized.sizes) > 0.8 * CHUNK_BYTES
    limits = [limit for _position, limit in asked]
    assert limits == sorted(limits, reverse=True), "what did not fit is not read in vain again and again"


class Sized(SteppedWire):
    """Notes how much is written at once."""

    sizes: ClassVar[list[int]] = []

    def write(self, chunk: Chunk) -> None:
        self.sizes.append(len(chunk.data))
        super().write(chunk)
