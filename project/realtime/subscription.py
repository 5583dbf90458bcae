"""One open stream: where its reader is in the log, and the one write that may be under way."""

from __future__ import annotations

import asyncio
import logging
import random
import time
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from project.realtime import sse

if TYPE_CHECKING:
    from project.realtime.feed import Entry, Feed

Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
ReadAfter = Callable[[int, int, int], Awaitable[list["Entry"]]]

logger = logging.getLogger(__name__)

REPLAY_MAX = 500  # events; a page further behind than this is told to load anew
WRITE_SECONDS = 10.0
LIFE_SECONDS = 15 * 60.0


@dataclass(frozen=True, slots=True)
class Ticket:
    """The right to one stream, as the view found it: whose, of which log, from where on.

    `authorized_at` is the log's last position in the same snapshot in which the viewer was found to be a member:
    an entry after it that ends the viewer's right is about this right, one before it about an earlier one.
    """

    key: int
    channel: str
    viewer: int
    session: str
    position: int
    authorized_at: int
    format: str = "json"
    reset: bool = False


class Subscription:
    """Sends a feed's entries to one socket.

    There is no queue of its own: while a write is under way nothing is added, and when it ends the subscription goes on
    from its position, out of the feed's memory or, further behind, out of the table. A slow reader so costs one chunk.
    """

    __slots__ = (
        "_abort",
        "_busy",
        "_read_after",
        "_send",
        "_waiting",
        "closed",
        "expires_at",
        "feed",
        "position",
        "ticket",
    )

    def __init__(
        self, ticket: Ticket, feed: Feed, send: Send, read_after: ReadAfter, abort: Callable[[], None]
    ) -> None:
        self.ticket = ticket
        self.feed = feed
        self.position = ticket.position
        self.closed = False
        self.expires_at = time.monotonic() + LIFE_SECONDS * random.uniform(0.8, 1.2)  # noqa: S311
        self._send = send
        self._read_after = read_after
        self._abort = abort
        self._busy: asyncio.Task[None] | None = None
        self._waiting: asyncio.Task[Any] | None = None

    def open(self) -> None:
        """Send the first bytes, and all that is already known beyond the cursor."""
        first = sse.retry()
        if self.ticket.reset:
            self.position = self.ticket.authorized_at
            first += self._reset_frame()
        if self._write(first):
            self.pump()

    def pump(self) -> None:
        """Send what the feed has beyond the position, as long as the socket takes it; called at every new entry."""
        while not (self._busy or self.closed):
            if self.position < self.feed.tail_start:
                self._fall_back()
                return
            entries = self.feed.after(self.position)
            if not entries or not self._send_entries(entries):
                return

    def offer(self, frame: bytes) -> None:
        """Send an ephemeral frame, or drop it when the socket is not ready."""
        if not (self._busy or self.closed):
            self._write(frame)

    def end(self, farewell: bytes) -> None:
        """Send a last frame if the socket takes one now, and close."""
        if self.closed:
            return
        if self._busy:
            self._abort()
        else:
            self._step(farewell, more=False)
        self.close()

    def close(self) -> None:
        """Stop: nothing is sent any more, and `wait_closed` returns."""
        if self.closed:
            return
        self.closed = True
        for task in (self._busy, self._waiting):
            if task and task is not asyncio.current_task():
                task.cancel()

    async def wait_closed(self, receive: Receive) -> None:
        """Return when the client has gone or the stream was closed from this side."""
        self._waiting = asyncio.current_task()
        try:
            while not self.closed and (await receive())["type"] != "http.disconnect":
                pass
        except asyncio.CancelledError:
            if not self.closed:
                raise
            if self._waiting:
                self._waiting.uncancel()
        finally:
            self._waiting = None
            self.close()

    def _send_entries(self, entries: list[Entry]) -> bool:
        """Write entries that follow the position; False when there is no going on now."""
        last = self._where_it_ends(entries)
        if last is not None:
            entries = entries[:last]
        if entries:
            self.position = entries[-1].position
            if not self._write(self.feed.chunk(entries, self.ticket.format)) and last is None:
                return False
        if last is not None:
            self.end(sse.frame("revoked", {"position": self.position + 1}))
            return False
        return True

    def _where_it_ends(self, entries: list[Entry]) -> int | None:
        """Return the index of the entry that ends this viewer's right, if one does."""
        for index, entry in enumerate(entries):
            if entry.ends_for == self.ticket.viewer and entry.position > self.ticket.authorized_at:
                return index
        return None

    def _fall_back(self) -> None:
        if self.ticket.format == "html" and self.feed.head - self.position > REPLAY_MAX:
            self.position = self.feed.head
            self._write(self._reset_frame())
        else:
            self._busy = asyncio.create_task(self._replay())

    def _reset_frame(self) -> bytes:
        return sse.frame("reset", {"position": self.position})

    async def _replay(self) -> None:
        """Read the log from the table until memory reaches back far enough."""
        try:
            while self.position < self.feed.tail_start and not self.closed:
                entries = await self._read_after(self.feed.key, self.position, REPLAY_MAX // 5)
                if not entries:
                    raise LookupError(f"the log of {self.feed.channel} has nothing after {self.position}")
                last = self._where_it_ends(entries)
                kept = entries if last is None else entries[:last]
                await self._write_slowly(b"".join(entry.frame(self.ticket.format) for entry in kept))
                self.position = entries[-1].position
                if last is not None:
                    self._busy = None
                    self.end(sse.frame("revoked", {"position": entries[last].position}))
                    return
        except Exception:
            # The client asks again from where it is.
            logger.warning("A replay of %s was broken off", self.feed.channel, exc_info=True)
            self._busy = None
            self.end(sse.retry())
            return
        self._busy = None
        self.pump()

    async def _write_slowly(self, data: bytes) -> None:
        async with asyncio.timeout(WRITE_SECONDS):
            await self._send({"type": "http.response.body", "body": data, "more_body": True})

    def _write(self, data: bytes) -> bool:
        """Start a write; False when it could not be finished at once, and goes on by itself."""
        return self._step(data, more=True)

    def _step(self, data: bytes, *, more: bool) -> bool:
        # A socket with room takes the bytes without waiting, so the coroutine is stepped here and now;
        # only one that waits costs a task.
        sending = self._send({"type": "http.response.body", "body": data, "more_body": more})
        coroutine = cast(Coroutine[Any, Any, None], sending)
        try:
            awaited = coroutine.send(None)
        except StopIteration:
            return True
        except OSError:
            self.close()
            return False
        self._busy = asyncio.create_task(self._finish(coroutine, awaited))
        return False

    async def _finish(self, coroutine: Coroutine[Any, Any, None], awaited: Any) -> None:
        try:
            async with asyncio.timeout(WRITE_SECONDS):
                await _resume(coroutine, awaited)
        except OSError:  # TimeoutError is one
            # The reader took nothing for WRITE_SECONDS, or is gone. A polite close would wait for it.
            self._abort()
            self.close()
            return
        self._busy = None
        self.pump()


@types.coroutine
def _resume(coroutine: Coroutine[Any, Any, None], awaited: Any) -> Generator[Any, Any, None]:
    """Go on with a coroutine that has been stepped once and waits for the future `awaited`."""
    while True:
        try:
            result = yield awaited
        except BaseException as error:  # noqa: BLE001 (passed on to the coroutine, cancellation too)
            proceed: Callable[[Any], Any] = coroutine.throw
            argument: Any = error
        else:
            proceed, argument = coroutine.send, result
        try:
            awaited = proceed(argument)
        except StopIteration:
            return
