"""A proxy between browser and server that can misbehave in the ways that proxies and networks do."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar
from weakref import WeakSet

WAIT_SECONDS = 30.0  # three returns of a browser that is told to wait seven seconds
HEAD_MAX = 64 * 1024
CONNECTIONS_MAX = 200
EVERYTHING = re.compile("")
STREAM = re.compile(r"^GET \S+/stream/")
POSTING = re.compile(r"^POST \S+/messages/ ")

T = TypeVar("T")


@dataclass(frozen=True)
class Request:
    """The first line of a request, like `GET /rooms/ HTTP/1.1`, and whether the server was asked."""

    line: str
    passed_on: bool


@dataclass(frozen=True)
class Fault:
    """What happens to requests whose first line fits."""

    fits: re.Pattern[str]
    answer: bytes | None = None  # instead of asking the server; without one the connection is reset
    after_the_server: bool = False  # only once the server has answered
    is_silent: bool = False  # nothing at all, until the connection is cut or the browser gives up


class Proxy:
    """Passes requests on to `port`, each on a connection of its own, until told otherwise; lives in its own thread."""

    def __init__(self, port: int) -> None:
        self._upstream_port = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy")
        self._connections: dict[asyncio.StreamWriter, str] = {}
        self._accepted: WeakSet[asyncio.WriteTransport] = WeakSet()
        self._serving: set[asyncio.Task[None]] = set()
        self._fault: Fault | None = None
        self._seen: list[Request] = []
        self._changed = threading.Condition()

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._begin())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WAIT_SECONDS)
        self._loop.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, status: str, headers: str = "", body: str = "", fits: re.Pattern[str] = EVERYTHING) -> None:
        """Answer requests instead of the server, and cut the connections of those that it is still answering."""
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{headers}\r\n"
        self._misbehave(Fault(fits, answer=(head + body).encode()))

    def reset(self, fits: re.Pattern[str] = EVERYTHING) -> None:
        """Reset connections, those that are open and every new one."""
        self._misbehave(Fault(fits))

    def swallow_answers(self, fits: re.Pattern[str]) -> None:
        """Let the server do what it is asked, and reset the connection when it says so."""
        self._misbehave(Fault(fits, after_the_server=True))

    def hold(self, fits: re.Pattern[str]) -> None:
        """Leave every new request without an answer until it is cut."""
        self._fault = Fault(fits, is_silent=True)

    def stall(self) -> None:
        """Close nothing and forward nothing any more, old connections or new."""
        self._do(self._set_flowing(False))

    def pass_on(self) -> None:
        self._fault = None
        self._do(self._set_flowing(True))

    def cut(self, fits: re.Pattern[str] = EVERYTHING) -> None:
        """Reset the open connections once."""
        self._do(self._reset_open(fits))

    def open(self, fits: re.Pattern[str]) -> int:
        """Return how many requests are being answered at the moment."""
        return sum(1 for line in tuple(self._connections.values()) if line and fits.search(line))

    def seen(self, fits: re.Pattern[str], *, passed_on: bool | None = None) -> list[str]:
        """Return the first lines of the requests that came."""
        return [
            request.line
            for request in tuple(self._seen)
            if fits.search(request.line) and passed_on in (None, request.passed_on)
        ]

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition on what this proxy sees; it is looked at whenever a request begins or ends."""
        with self._changed:
            if not self._changed.wait_for(condition, WAIT_SECONDS):
                raise AssertionError(f"waited in vain; seen: {[request.line for request in self._seen[-20:]]}")

    def _misbehave(self, fault: Fault) -> None:
        self._fault = fault
        self._do(self._reset_open(fault.fits))

    def _do(self, action: Coroutine[Any, Any, T]) -> T:
        done: Future[T] = asyncio.run_coroutine_threadsafe(action, self._loop)
        return done.result(WAIT_SECONDS)

    async def _begin(self) -> None:
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=HEAD_MAX)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def _end(self) -> None:
        while True:
            for transport in tuple(self._accepted):
                transport.abort()
            # What asyncio has accepted and not handed over yet would be left open if the server were closed meanwhile.
            handing_over = asyncio.all_tasks() - self._serving - {asyncio.current_task()}
            if not handing_over:
                break
            await asyncio.wait(handing_over)
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _set_flowing(self, is_flowing: bool) -> None:
        if is_flowing:
            self._flowing.set()
        else:
            self._flowing.clear()

    async def _reset_open(self, fits: re.Pattern[str]) -> None:
        for writer, line in tuple(self._connections.items()):
            if fits.search(line):
                _reset(writer)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._accepted.add(writer.transport)
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._connections) >= CONNECTIONS_MAX:
            _reset(writer)
            return
        self._note(writer, "")
        # What either side breaks off is broken off; the other side is told by the end of its connection.
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            await self._pass_on(reader, writer)
        self._note(writer, None)
        writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line = head.partition("\r\n")[0]
        fault = self._fault if self._fault and self._fault.fits.search(line) else None
        passed_on = fault is None or fault.after_the_server
        if fault and fault.is_silent:
            self._note(writer, line, Request(line, passed_on=False))
            while await reader.read(HEAD_MAX):
                pass
            return
        self._note(writer, line, Request(line, passed_on))
        await self._flowing.wait()
        if passed_on:
            length = re.search(r"(?i)^content-length: (\d+)", head, re.MULTILINE)
            body = await reader.readexactly(int(length[1])) if length else b""
            await self._ask_server(_closing(head).encode("latin-1") + body, reader, writer, hold=fault is not None)
        if fault and fault.answer:
            writer.write(fault.answer)
            await writer.drain()
        elif fault:
            _reset(writer)

    async def _ask_server(
        self, request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, hold: bool
    ) -> None:
        answer, server = await asyncio.open_connection("127.0.0.1", self._upstream_port)
        gone = asyncio.create_task(reader.read(1))  # the browser sends nothing more: its end of file is all that comes
        gone.add_done_callback(lambda _: server.close())
        try:
            server.write(request)
            while data := await answer.read(HEAD_MAX):
                await self._flowing.wait()
                if not hold:
                    writer.write(data)
                    await writer.drain()
        finally:
            gone.cancel()
            server.close()

    def _note(self, writer: asyncio.StreamWriter, line: str | None, request: Request | None = None) -> None:
        with self._changed:
            if line is None:
                self._connections.pop(writer, None)
            else:
                self._connections[writer] = line
            if request:
                self._seen.append(request)
            self._changed.notify_all()


def _closing(head: str) -> str:
    """Return a request's head, asking for a connection that ends with the answer."""
    lines = [line for line in head.split("\r\n") if not line.lower().startswith("connection:")]
    return "\r\n".join([lines[0], "Connection: close", *lines[1:]])


def _reset(writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        # Closing without lingering sends a RST.
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()
