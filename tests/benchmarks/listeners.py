"""A process that holds many streams open and notes what arrives: `python -m tests.benchmarks.listeners`."""

from __future__ import annotations

import asyncio
import base64
import re
import time
from array import array
from collections import Counter
from contextlib import suppress
from typing import Any, cast

from tests.benchmarks import answering

_POSITION = re.compile(rb"id: (\d+)\nevent: message_created\n")
_RETRY = re.compile(rb"retry: (\d+)\n")
_LONGEST_MATCH = 64  # bytes
# After each round of reading this process sleeps. One that waits is woken by every single write, and the kernel does
# that in the writer's time: clients on other machines cost a server nothing of the kind.
_REST_SECONDS = 0.003


class Stream(asyncio.Protocol):
    """One open stream. It goes by the frames alone, so that every kind of server can be listened to."""

    __slots__ = ("_behind", "_crowd", "_request", "_transport", "opened", "position", "retry")

    def __init__(self, crowd: Crowd, request: bytes) -> None:
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.position = 0
        self.retry = 0
        self._crowd = crowd
        self._request = request
        self._behind = b""  # the end of what arrived, in which a match may have begun
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is not one by inheritance
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._crowd.arrived(self, data)
        data = self._behind + data
        end = 0
        for match in _POSITION.finditer(data):
            end = match.end()
            self.position = int(match[1])
            self._crowd.heard(self)
        for match in _RETRY.finditer(data):  # the last one counts
            self.retry = int(match[1])
        if b"event: ping\n" in data:
            self._crowd.pinged(self)
        self._behind = data[max(end, len(data) - _LONGEST_MATCH) :]
        if not self.opened.done():
            self._open(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(ConnectionError("the server closed the connection"))
        self._crowd.lost(self)

    def cut(self) -> None:
        if self._transport:
            self._transport.abort()

    def _open(self, data: bytes) -> None:
        if not data.startswith(b"HTTP/1.1 200") and b"HTTP/1.1" in data:
            self.opened.set_exception(ConnectionError(data[:80].decode(errors="replace")))
        elif self.retry:
            self.opened.set_result(None)
        else:
            self._behind = data


class Crowd:
    """All streams of this process."""

    def __init__(self) -> None:
        self.streams: list[Stream] = []
        self._open: set[Stream] = set()
        self._is_round = False
        self._unpinged: set[Stream] = set()
        self._all_pinged = asyncio.Event()
        self._reset(0)

    def commands(self) -> dict[str, answering.Answer]:
        return {
            "open": self.open,
            "expect": self.expect,
            "wait": self.wait,
            "delays": self.delays,
            "frames": self.frames,
            "cut": self.cut,
            "wait_pinged": self.wait_pinged,
            "come_back": self.come_back,
        }

    async def open(self, port: int, path: str, cookies: list[str], at_once: int = 48) -> float:
        """Open a stream for each cookie; return the seconds it took."""
        began = time.monotonic()
        turn = asyncio.Semaphore(at_once)
        requests = [_request(port, path, cookie) for cookie in cookies]
        self.streams += await asyncio.gather(*(self._opened(port, request, turn) for request in requests))
        return time.monotonic() - began

    async def expect(self, position: int) -> None:
        """Begin to count anew. A stream has all when it has come to this position."""
        self._reset(position)

    async def wait(self, seconds: float) -> dict[str, Any]:
        """Return what arrived once all streams have all, or the time is up."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._complete.wait(), seconds)
        return {"events": len(self._positions), "bytes": self._bytes, "lost": len(self.streams) - len(self._open)}

    async def delays(self, published: dict[str, int]) -> list[float]:
        """Return in order the milliseconds between the publishing of a position and each of its receipts."""
        at = {int(position): time_ns for position, time_ns in published.items()}
        receipts = zip(self._positions, self._times, strict=True)
        return sorted((time_ns - at[position]) / 1e6 for position, time_ns in receipts if position in at)

    async def frames(self) -> list[str]:
        """Return the frames that the first stream got (an HTTP/1.1 chunked body), each in base64."""
        body = b"".join(_chunks(b"".join(self._first_bytes)))
        found = [frame + b"\n\n" for frame in body.split(b"\n\n") if b"\nevent: message_created\n" in frame]
        return [base64.b64encode(frame).decode() for frame in found]

    async def wait_pinged(self, seconds: float) -> None:
        """Return when each open stream has been pinged from now on; raises `TimeoutError`."""
        self._unpinged = set(self._open)
        self._all_pinged = asyncio.Event()
        await asyncio.wait_for(self._all_pinged.wait(), seconds)

    async def cut(self) -> None:
        """Drop all connections at once."""
        streams, self.streams = self.streams, []
        for stream in streams:
            stream.cut()

    async def come_back(
        self, port: int, path: str, cookies: list[str], cursors: list[int], position: int, seconds: float
    ) -> dict[str, Any]:
        """Drop all connections at once; each comes back after the time its server gave it, from its cursor.

        Returns the seconds until the last one had come to `position`, how many had not within the bound, and how many
        at most came in one second.
        """
        waits = [stream.retry / 1_000 for stream in self.streams]
        await self.cut()
        self._reset(position, of=len(waits))
        began = time.monotonic()
        returning = [
            self._come_back(wait, port, _request(port, path, cookie, cursor))
            for wait, cookie, cursor in zip(waits, cookies, cursors, strict=True)
        ]
        failures = await asyncio.gather(*returning, return_exceptions=True)
        await self.wait(seconds)
        return {
            "seconds": max(self._times, default=0) / 1e9 - began,
            "missing": self._unfinished,
            "busiest": max(Counter(int(wait) for wait in waits).values()),
            "refused": [repr(failure) for failure in failures if failure][:3],
        }

    def arrived(self, stream: Stream, data: bytes) -> None:
        self._bytes += len(data)
        if not self._is_round:
            self._is_round = True
            self._now = time.monotonic_ns()
            asyncio.get_running_loop().call_soon(self._rest)
        if self.streams and stream is self.streams[0]:
            self._first_bytes.append(data)

    def heard(self, stream: Stream) -> None:
        self._positions.append(stream.position)
        self._times.append(self._now)
        if stream.position == self._last_position:
            self._unfinished -= 1
            if self._unfinished == 0:
                self._complete.set()

    def _rest(self) -> None:
        time.sleep(_REST_SECONDS)
        self._is_round = False

    def lost(self, stream: Stream) -> None:
        self._open.discard(stream)
        self.pinged(stream)

    def pinged(self, stream: Stream) -> None:
        self._unpinged.discard(stream)
        if not self._unpinged:
            self._all_pinged.set()

    def _reset(self, last_position: int, of: int | None = None) -> None:
        self._last_position = last_position
        self._unfinished = len(self.streams) if of is None else of
        self._complete = asyncio.Event()
        self._positions = array("Q")
        self._times = array("Q")
        self._first_bytes: list[bytes] = []
        self._bytes = 0
        self._now = 0

    async def _opened(self, port: int, request: bytes, turn: asyncio.Semaphore) -> Stream:
        async with turn:
            loop = asyncio.get_running_loop()
            _, stream = await loop.create_connection(lambda: Stream(self, request), "127.0.0.1", port)
            await asyncio.wait_for(stream.opened, 60)
            self._open.add(stream)
            return stream

    async def _come_back(self, wait: float, port: int, request: bytes) -> None:
        await asyncio.sleep(wait)
        self.streams.append(await self._opened(port, request, asyncio.Semaphore()))


def _request(port: int, path: str, cookie: str, cursor: int | None = None) -> bytes:
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Accept: text/event-stream", f"Cookie: {cookie}"]
    if cursor is not None:
        lines.append(f"Last-Event-ID: {cursor}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _chunks(body: bytes) -> list[bytes]:
    chunks = []
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size, 16)
        chunks.append(rest[:length])
        body = rest[length + 2 :]
    return chunks


if __name__ == "__main__":
    answering.run(lambda: Crowd().commands())
