"""A response of which only ASGI's `send` is known."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any, cast

from project.realtime.wire import WRITE_SECONDS, Chunk, Receive, Send, Wire


class SteppedWire(Wire):
    """Calls `send` without waiting for it. A server whose `send` never waits has no limit to what it keeps unsent."""

    __slots__ = ("_is_over", "_send", "_sending", "_waiting")

    def __init__(self, send: Send) -> None:
        super().__init__()
        self._send = send
        self._sending: asyncio.Task[None] | None = None
        self._waiting: asyncio.Task[Any] | None = None
        self._is_over = False

    def write(self, chunk: Chunk) -> None:
        self._step(chunk.data, more=True)

    def end(self, chunk: Chunk) -> None:
        self._step(chunk.data, more=False)
        self._is_over = True
        if self._waiting and not self._sending:
            self._waiting.cancel()

    def abort(self) -> None:
        """ASGI has no word for it; the server does it when the request is over and the response is not."""
        self._is_over = True
        for task in (self._sending, self._waiting):
            if task and task is not asyncio.current_task():
                task.cancel()

    async def wait_gone(self, receive: Receive) -> None:
        """Return when the client has gone or the response has ended."""
        self._waiting = asyncio.current_task()
        try:
            while not self._is_over and (await receive())["type"] != "http.disconnect":
                pass
        except asyncio.CancelledError:
            if not self._is_over:
                raise
            if self._waiting:
                self._waiting.uncancel()
        finally:
            self._waiting = None
            if self._sending:
                self._sending.cancel()
            self.writer.close()

    def _step(self, data: bytes, *, more: bool) -> None:
        # A socket with room takes the bytes without waiting, so the coroutine is stepped here and now;
        # only one that waits costs a task.
        sending = self._send({"type": "http.response.body", "body": data, "more_body": more})
        coroutine = cast(Coroutine[Any, Any, None], sending)
        try:
            awaited = coroutine.send(None)
        except StopIteration:
            return
        except OSError:
            self._give_up()
            return
        self.is_full = True
        self._sending = asyncio.create_task(self._finish(coroutine, awaited))

    async def _finish(self, coroutine: Coroutine[Any, Any, None], awaited: Any) -> None:
        try:
            async with asyncio.timeout(WRITE_SECONDS):
                await _resume(coroutine, awaited)
        except OSError:  # TimeoutError is one
            self._give_up()
            return
        self._sending = None
        self.is_full = False
        if self._is_over and self._waiting:
            self._waiting.cancel()
        self.writer.pump()

    def _give_up(self) -> None:
        self.abort()
        self.writer.close()


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
