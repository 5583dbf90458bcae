"""Clients that take no bytes off their sockets, as the server's kernel sees them (Linux: /proc/net/tcp)."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults import wire
from tests.faults.cast import Person
from tests.faults.load import Load

TABLE = Path("/proc/net/tcp")
ESTABLISHED = "01"
SMALL_WINDOW = 4096
FULL_SECONDS = 1.0  # a queue that has not grown for so long, while there is more to send, is full


@dataclass(eq=False)
class Deaf:
    """One such client's socket, and what waits for it at the server."""

    sock: socket.socket
    queued: int = 0
    grew_at: float = field(default_factory=time.monotonic)
    gone_at: float | None = None

    @property
    def is_full(self) -> bool:
        return self.queued > 0 and time.monotonic() - self.grew_at > FULL_SECONDS

    @property
    def outlived(self) -> float:
        """How long the server kept it after the last byte that its window took."""
        return (self.gone_at or time.monotonic()) - self.grew_at


async def open_deaf(load: Load, person: Person, room: str, *, reads: bool, query: str = "") -> Deaf:
    """Open a stream. One that `reads` has taken the answer's beginning; the other never takes anything."""
    sock = socket.socket()
    if not reads:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_WINDOW)
    sock.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(sock, ("127.0.0.1", load.port))
    request = wire.head("GET", f"/rooms/{room}/stream/{query}", person.session, "text/event-stream")
    await loop.sock_sendall(sock, request)
    if reads:
        await loop.sock_recv(sock, 65_536)
    return Deaf(sock)


def look(clients: Iterable[Deaf], port: int) -> int:
    """Note how full the server's queues are, and return how many of the clients it still has."""
    queues = _queues(port)
    left = 0
    for client in clients:
        queued = queues.get(client.sock.getsockname()[1])
        if queued is not None:
            left += 1
            if queued > client.queued:
                client.queued, client.grew_at = queued, time.monotonic()
        elif client.gone_at is None:
            client.gone_at = time.monotonic()
    return left


def _queues(port: int) -> dict[int, int]:
    """Return the bytes that wait to be sent from a port, by the ports of the established clients."""
    queues = {}
    for line in TABLE.read_text().splitlines()[1:]:
        _, local, remote, state, waiting, *_ = line.split()
        if state == ESTABLISHED and int(local.split(":")[1], 16) == port:
            queues[int(remote.split(":")[1], 16)] = int(waiting.split(":")[0], 16)
    return queues
