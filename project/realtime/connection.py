"""A stream's connection, taken over from Uvicorn."""

from __future__ import annotations

import asyncio
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from project.realtime.wire import WRITE_SECONDS, Chunk, Receive, Send, Wire

_LAST_CHUNK = b"0\r\n\r\n"


class TakenOverError(ConnectionError):
    """What Uvicorn is told of a connection that is not its own any more."""


class Connection(asyncio.Protocol, Wire):
    """The protocol of a connection whose response's head Uvicorn has written, and whose body is written from here.

    Uvicorn's parser, its task and all that it and Django keep for a request are gone by then: they would be most of
    what an open stream costs. Like Uvicorn's own WebSocket protocols this one stands in the server's set of connections
    from then on: a server that shuts down calls `shutdown`, and waits until it is not there any more.
    """

    __slots__ = ("_connections", "_deadline", "_transport")

    def __init__(self, transport: asyncio.Transport, connections: set[asyncio.Protocol]) -> None:
        super().__init__()
        self._transport = transport
        self._connections = connections
        self._deadline: asyncio.TimerHandle | None = None
        connections.add(self)

    def write(self, chunk: Chunk) -> None:
        self._transport.write(chunk.framed)

    def end(self, chunk: Chunk) -> None:
        self._transport.write(chunk.framed + _LAST_CHUNK)
        self._transport.close()  # once all is sent
        self._set_deadline()

    def abort(self) -> None:
        self._transport.abort()

    def shutdown(self) -> None:
        self._transport.close()

    def pause_writing(self) -> None:
        self.is_full = True
        self._set_deadline()

    def resume_writing(self) -> None:
        self.is_full = False
        self._drop_deadline()
        self.writer.pump()

    def data_received(self, data: bytes) -> None:
        """Ignore it: the head said `Connection: close`. It is read so that the connection's end is noticed."""

    def connection_lost(self, exc: Exception | None) -> None:
        self._drop_deadline()
        self._connections.discard(self)
        self.writer.close()

    async def wait_gone(self, receive: Receive) -> None:
        """Return at once: from here on the connection itself tells of its end."""

    def _set_deadline(self) -> None:
        self._drop_deadline()
        self._deadline = asyncio.get_running_loop().call_later(WRITE_SECONDS, self._transport.abort)

    def _drop_deadline(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None


def taken_over(send: Send) -> Connection | None:
    """Return the connection behind a `send` of Uvicorn's that has sent the response's head, from now on our own.

    None if another server's is behind it, or the client has gone.
    """
    cycle = getattr(send, "__self__", None)
    if not isinstance(cycle, RequestResponseCycle) or not cycle.chunked_encoding:
        return None
    if cycle.disconnected or cycle.transport.is_closing():
        return None
    uvicorns = cast(HttpToolsProtocol, cycle.transport.get_protocol())
    connection = Connection(cycle.transport, cast("set[asyncio.Protocol]", uvicorns.connections))
    if cycle.flow.write_paused:
        connection.pause_writing()
    cycle.flow.resume_reading()  # a second request, sent ahead, had paused it
    cycle.transport.set_protocol(connection)
    # To Uvicorn this is how a connection ends that it need not close. It tells the request that it read last, which is
    # another one if the client has sent more of them ahead.
    uvicorns.connection_lost(TakenOverError())
    cycle.disconnected = True
    return connection
