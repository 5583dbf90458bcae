"""The way from a stream to its socket: ASGI's `send`, and past it where the server is known."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]


class Chunk:
    """Bytes for many streams, with the framing that HTTP/1.1 gives them (RFC 9112, section 7.1) made once for all."""

    __slots__ = ("data", "framed")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.framed = b"%x\r\n%b\r\n" % (len(data), data)


class Wire:
    """One response. Uvicorn's `send` belongs to an object that knows the transport; elsewhere only `send` is known."""

    __slots__ = ("_cycle", "send")

    def __init__(self, send: Send) -> None:
        self.send = send
        cycle = getattr(send, "__self__", None)
        self._cycle = cycle if isinstance(cycle, RequestResponseCycle) else None

    def take(self, chunk: Chunk) -> bool:
        """Write a chunk to the transport, if it is known and has room; what `send` would do, at a third of the cost."""
        cycle = self._cycle
        if cycle is None or cycle.flow.write_paused or cycle.disconnected or not cycle.chunked_encoding:
            return False
        cycle.transport.write(chunk.framed)
        return True

    def abort(self) -> None:
        """Drop the connection at once, if that can be done.

        ASGI has no word for it: ending the response waits until a client that reads nothing has read everything.
        """
        if self._cycle:
            self._cycle.transport.abort()
