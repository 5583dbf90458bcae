"""Bodies of files, taken in no faster than leaves time for everything else."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any

from project.realtime.wire import Receive

LATE_SECONDS = 0.01


@dataclass(order=True)
class _Waiting:
    remaining: int
    size: int = field(compare=False)
    turn: asyncio.Future[None] = field(compare=False)


class Pace:
    """So many bytes a second at most, of all bodies that come at once.

    The one of which least is still to come goes first: a small file does not wait for large ones, and of many large
    ones each is whole in its turn, not all in the same instant. A body that waits is read no further, so its client
    waits too (Uvicorn's flow control); a client that sends slowly keeps nobody waiting.
    """

    def __init__(self, bytes_per_second: float) -> None:
        self._bytes_per_second = bytes_per_second
        self._free_at = 0.0
        self._waiting: list[_Waiting] = []
        self._is_going = False

    def paced(self, receive: Receive, announced: int) -> Receive:
        """Return what receives a body of so many bytes, or of 0 where its client did not say."""
        received = 0

        async def receive_paced() -> Mapping[str, Any]:
            nonlocal received
            message = await receive()
            size = len(message.get("body", b""))
            received += size
            if size:
                await self._turn(size, announced - received if announced else sys.maxsize)
            return message

        return receive_paced

    async def _turn(self, size: int, remaining: int) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heappush(self._waiting, _Waiting(remaining, size, turn))
        if not self._is_going:
            self._go_on()
        await turn

    def _go_on(self) -> None:
        """Let those go on for whom there is time, and come back for the others."""
        loop = asyncio.get_running_loop()
        # A timer is late by a little, always: that much is made good.
        self._free_at = max(self._free_at, loop.time() - LATE_SECONDS)
        while self._waiting and self._free_at <= loop.time():
            next_one = heappop(self._waiting)
            if not next_one.turn.done():  # or its request has ended
                self._free_at += next_one.size / self._bytes_per_second
                next_one.turn.set_result(None)
        self._is_going = bool(self._waiting)
        if self._is_going:
            loop.call_at(self._free_at, self._go_on)
