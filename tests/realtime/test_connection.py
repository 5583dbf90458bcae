"""Connections taken over from a real Uvicorn, with real sockets."""

from __future__ import annotations

import asyncio
import gc
import socket
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
import uvloop

from project.realtime import connection
from project.realtime.connection import Connection, taken_over
from project.realtime.wire import Chunk, Receive, Send
from project.request_limits import HeadLimit

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n"
WAIT_SECONDS = 10


class Writer:
    def __init__(self, wire: Connection) -> None:
        self.wire = wire
        self.pumped = asyncio.Event()
        self.closed = asyncio.Event()
        wire.writer = self

    def pump(self) -> None:
        self.pumped.set()

    def close(self) -> None:
        self.closed.set()

    def write_until_full(self, piece: bytes) -> int:
        """Write the same piece again and again, and return how often."""
        for number in range(1, 10_000):
            self.wire.write(Chunk(piece))
            if self.wire.is_full:
                return number
        raise AssertionError("the socket never was full")


@dataclass
class Site:
    """A server all of whose responses are taken over."""

    server: uvicorn.Server
    port: int
    opened: asyncio.Queue[Writer]
    requests: list[weakref.ref[Any]] = field(default_factory=list)

    @property
    def connections(self) -> set[Any]:
        return set(self.server.server_state.connections)

    async def open(self, request: bytes = REQUEST) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, Writer]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        assert await reader.readuntil(b"\r\n\r\n") == HEAD
        return reader, writer, await self.opened.get()


@asynccontextmanager
async def site() -> AsyncIterator[Site]:
    opened: asyncio.Queue[Writer] = asyncio.Queue()
    requests: list[weakref.ref[Any]] = []

    async def application(_scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await receive()
        requests.append(weakref.ref(send.__self__))  # type: ignore[attr-defined]  # a bound method
        await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
        wire = taken_over(send)
        assert wire
        opened.put_nowait(Writer(wire))
        await wire.wait_gone(receive)

    config = uvicorn.Config(
        application, http=HeadLimit, lifespan="off", log_config=None, server_header=False, date_header=False
    )
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield Site(server, listening.getsockname()[1], opened, requests)
    finally:
        server.should_exit = True
        await serving
        listening.close()


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(WAIT_SECONDS):
            await scenario()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(bounded())


def test_body_is_written_and_ended_as_http_has_it() -> None:
    async def scenario() -> None:
        async with site() as here:
            reader, writer, stream = await here.open()
            stream.wire.write(Chunk(b"one"))
            assert await reader.readexactly(8) == b"3\r\none\r\n"
            stream.wire.end(Chunk(b"two"))
            assert await reader.read() == b"3\r\ntwo\r\n0\r\n\r\n"
            await stream.closed.wait()
            writer.close()

    run(scenario)


def test_server_keeps_the_connection_and_forgets_the_request() -> None:
    async def scenario() -> None:
        async with site() as here:
            _reader, writer, stream = await here.open()
            await asyncio.sleep(0)
            gc.collect()
            assert [request() for request in here.requests] == [None]
            assert here.server.server_state.tasks == set()
            assert here.connections == {stream.wire}
            writer.close()
            await stream.closed.wait()
            assert here.connections == set()

    run(scenario)


def test_full_socket_is_told_and_takes_on_where_it_was() -> None:
    async def scenario() -> None:
        async with site() as here:
            reader, writer, stream = await here.open()
            number = stream.write_until_full(b"x" * 10_000)
            assert not stream.pumped.is_set()
            chunk = Chunk(b"x" * 10_000).framed
            assert await reader.readexactly(number * len(chunk)) == number * chunk
            await stream.pumped.wait()
            assert not stream.wire.is_full
            stream.wire.write(Chunk(b"on"))
            assert await reader.readexactly(7) == b"2\r\non\r\n"
            writer.close()

    run(scenario)


@pytest.mark.parametrize("ending", [False, True])
def test_reader_who_takes_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch, ending: bool) -> None:
    monkeypatch.setattr(connection, "WRITE_SECONDS", 0.05)

    async def scenario() -> None:
        async with site() as here:
            _reader, writer, stream = await here.open()
            writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport that reads
            stream.write_until_full(b"x" * 10_000)
            if ending:
                stream.wire.end(Chunk(b"bye"))
            await stream.closed.wait()
            assert here.connections == set()
            writer.transport.abort()

    run(scenario)


def test_reader_who_reads_in_time_is_not_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "WRITE_SECONDS", 0.2)

    async def scenario() -> None:
        async with site() as here:
            reader, writer, stream = await here.open()
            number = stream.write_until_full(b"x" * 10_000)
            await reader.readexactly(number * len(Chunk(b"x" * 10_000).framed))
            await stream.pumped.wait()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(stream.closed.wait(), 0.4)
            writer.close()

    run(scenario)


def test_client_that_goes_or_says_no_more_ends_the_stream() -> None:
    async def scenario() -> None:
        async with site() as here:
            for leave in ("abort", "write_eof"):
                reader, writer, stream = await here.open()
                getattr(writer.transport, leave)()
                await stream.closed.wait()
                assert here.connections == set()
                if leave == "write_eof":
                    assert await reader.read() == b""
                    writer.close()

    run(scenario)


@pytest.mark.parametrize("early", [True, False])
def test_nothing_can_be_asked_behind_a_stream(early: bool) -> None:
    async def scenario() -> None:
        async with site() as here:
            reader, writer, stream = await here.open(REQUEST * 3 if early else REQUEST)
            writer.write(REQUEST + b"\0garbage\r\n" * 10_000)
            await writer.drain()
            stream.wire.write(Chunk(b"on"))
            assert await reader.readexactly(7) == b"2\r\non\r\n"
            assert len(here.requests) == 1
            writer.write_eof()  # noticed behind all that
            await stream.closed.wait()
            assert here.opened.empty()
            writer.close()

    run(scenario)


def test_server_that_stops_waits_until_the_last_bytes_are_taken() -> None:
    async def scenario() -> None:
        async with site() as here:
            reader, writer, stream = await here.open()
            number = stream.write_until_full(b"x" * 10_000)
            stream.wire.end(Chunk(b"bye"))
            here.server.should_exit = True
            body = await reader.readexactly(number * len(Chunk(b"x" * 10_000).framed))
            assert body.endswith(b"x\r\n")
            assert await reader.read() == b"3\r\nbye\r\n0\r\n\r\n"
            writer.close()

    run(scenario)


def test_response_of_another_server_is_not_taken_over() -> None:
    async def send(_message: Any) -> None: ...

    assert taken_over(send) is None
