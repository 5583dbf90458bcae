"""A TCP relay of the tests' own that can misbehave in the ways that networks and proxies do."""

from __future__ import annotations

import asyncio
import ctypes
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

Upstream = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]

# Linux: a socket filter (classic BPF) that lets nothing in. The kernel then drops what arrives before TCP sees it, so
# that nothing is acknowledged, not even a FIN: to the other side the host has vanished.
SO_ATTACH_FILTER, SO_DETACH_FILTER = 26, 27
DROP_EVERYTHING = struct.pack("HBBI", 0x06, 0, 0, 0)


def deafen(sock: Any) -> None:
    """Let nothing more arrive at a socket, as if its cable were cut."""
    program = ctypes.create_string_buffer(DROP_EVERYTHING)
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HxxxxxxP", 1, ctypes.addressof(program)))


def undeafen(sock: Any) -> None:
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)


def upstream_tcp(port: int) -> Upstream:
    return lambda: asyncio.open_connection("127.0.0.1", port)


def upstream_unix(path: str) -> Upstream:
    return lambda: asyncio.open_unix_connection(path)


@dataclass(eq=False)
class _Pair:
    """One client and what it is connected to."""

    client: asyncio.StreamWriter
    upstream: asyncio.StreamWriter | None = None

    def reset(self) -> None:
        for writer in (self.client, self.upstream):
            if writer:
                with suppress(OSError):
                    # No lingering: closing sends a RST.
                    linger = struct.pack("ii", 1, 0)
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                writer.transport.abort()


class Relay:
    """Relays connections on `port` to where `upstream` leads; the attributes say how it misbehaves."""

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream
        self.answer: bytes | None = None  # sent to every request instead of asking upstream
        self.refuses = False
        self.swallows_answers_to: bytes | None = None  # requests that begin so reach the server; the answer is a RST
        self.swallowed = 0
        self.accepted_at: list[float] = []
        self._pairs: set[_Pair] = set()
        self._open = asyncio.Event()
        self._open.set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=2048)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        self._open.set()
        self.cut()
        await self._server.wait_closed()

    def cut(self) -> int:
        """Reset every connection; returns how many there were."""
        pairs = tuple(self._pairs)
        for pair in pairs:
            pair.reset()
        return len(pairs)

    def partition(self) -> None:
        """Drop everything on the client's side from now on, silently; new connections get no answer at all."""
        self._open.clear()
        for sock in self._client_sockets():
            deafen(sock)

    def heal(self) -> None:
        for sock in self._client_sockets():
            undeafen(sock)
        self._open.set()

    def _client_sockets(self) -> list[Any]:
        return [*self._server.sockets, *(pair.client.get_extra_info("socket") for pair in self._pairs)]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted_at.append(time.monotonic())
        pair = _Pair(writer)
        self._pairs.add(pair)
        try:
            if self.refuses:
                pair.reset()
            elif self.answer is not None:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(self.answer)
                await writer.drain()
            else:
                await self._relay(pair, reader)
        except (OSError, asyncio.IncompleteReadError):
            pair.reset()
        finally:
            self._pairs.discard(pair)
            writer.close()

    async def _relay(self, pair: _Pair, reader: asyncio.StreamReader) -> None:
        first = await reader.read(65_536)
        from_upstream, pair.upstream = await self.upstream()
        try:
            pair.upstream.write(first)
            if self.swallows_answers_to and first.startswith(self.swallows_answers_to):
                await self._swallow(pair, from_upstream)
                return
            directions = (self._copy(reader, pair.upstream), self._copy(from_upstream, pair.client))
            tasks = [asyncio.create_task(direction) for direction in directions]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            pair.upstream.close()

    async def _swallow(self, pair: _Pair, answer: asyncio.StreamReader) -> None:
        await answer.read(1)
        self.swallowed += 1
        pair.reset()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            await self._open.wait()
            writer.write(data)
            await writer.drain()
