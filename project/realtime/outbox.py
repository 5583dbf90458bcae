"""One open stream's socket: at most one write under way, and no queue behind it."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any, cast

from project.realtime.wire import Chunk, Receive, Wire

WRITE_SECONDS = 10.0


class Outbox:
    """Writes to one wire. Whoever has more to say when `is_free` again does so in `pump`."""

    __slots__ = ("_busy", "_waiting", "_wire", "closed")

    def __init__(self, wire: Wire) -> None:
        self.closed = False
        self._wire = wire
        self._busy: asyncio.Task[None] | None = None
        self._waiting: asyncio.Task[Any] | None = None

    @property
    def is_free(self) -> bool:
        return self._busy is None and not self.closed

    def pump(self) -> None:
        """Write what there is to write; called whenever the socket takes bytes again."""
        raise NotImplementedError

    def offer(self, frame: bytes) -> None:
        """Send an ephemeral frame, or drop it when the socket is not ready."""
        if self.is_free:
            self._write(frame)

    def end(self, farewell: bytes) -> None:
        """Send a last frame if the socket takes one now, and close."""
        if self.closed:
            return
        if self._busy:
            self._wire.abort()
        else:
            self._write(farewell, more=False)
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

    def _write_chunk(self, chunk: Chunk) -> None:
        """Begin a write of what other streams write too."""
        if not self._wire.take(chunk):
            self._write(chunk.data)

    def _write(self, data: bytes, *, more: bool = True) -> bool:
        """Begin a write; False when it could not be finished at once, and goes on by itself."""
        # A socket with room takes the bytes without waiting, so the coroutine is stepped here and now;
        # only one that waits costs a task.
        sending = self._wire.send({"type": "http.response.body", "body": data, "more_body": more})
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
            self._wire.abort()
            self.close()
            return
        self._busy = None
        self.pump()

    async def _write_all(self, data: bytes) -> None:
        """Write from a task that is `_busy` itself; raises `OSError` for a reader who takes nothing."""
        async with asyncio.timeout(WRITE_SECONDS):
            await self._wire.send({"type": "http.response.body", "body": data, "more_body": True})


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
