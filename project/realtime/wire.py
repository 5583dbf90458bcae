"""The way from a stream to its socket."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]

WRITE_SECONDS = 10.0


class Chunk:
    """Bytes for many streams, with the framing that HTTP/1.1 gives them (RFC 9112, section 7.1) made once for all."""

    __slots__ = ("data", "framed")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.framed = b"%x\r\n%b\r\n" % (len(data), data)


class Writer(Protocol):
    """Who writes to a wire, and is told how that goes."""

    def pump(self) -> None:
        """The socket takes bytes again."""

    def close(self) -> None:
        """The client has gone, or took nothing for WRITE_SECONDS."""


class Wire:
    """One response. Nothing may be written while it `is_full`; it is not for long: whoever takes nothing is cut off."""

    __slots__ = ("is_full", "writer")

    writer: Writer

    def __init__(self) -> None:
        self.is_full = False

    def write(self, chunk: Chunk) -> None:
        raise NotImplementedError

    def end(self, chunk: Chunk) -> None:
        """Write a last chunk, and end the response."""
        raise NotImplementedError

    def abort(self) -> None:
        """Drop the connection at once, if that can be done: a polite end waits until the client has read everything."""
        raise NotImplementedError

    async def wait_gone(self, receive: Receive) -> None:
        """Return when the server may forget the request."""
        raise NotImplementedError
