"""Readers: what one person sees of one room, by stream or by page."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.faults import wire
from tests.faults.cast import Person
from tests.faults.history import How, Shown

if TYPE_CHECKING:
    from tests.faults.load import Load

RETRY_SECONDS = (0.1, 0.5)
SILENCE_SECONDS = 50.0  # what a client waits for a ping at most
POLL_SECONDS = 0.5
PAGE = 100


@dataclass
class Screen:
    """What one reader of one room has in view."""

    name: str
    person: Person
    room: str
    load: Load
    cursor: int = 0
    screen: list[Shown] = field(default_factory=list)
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    refused_with: int | None = None

    def show(self, message: dict[str, Any], how: How) -> None:
        key = message["text"].partition(" ")[0]
        now = time.monotonic()
        self.screen.append(Shown(self.name, self.room, message["position"], key, message["text"], how, now))
        if self.name != "final":
            self.load.history.shown.append(self.screen[-1])

    def move_to(self, position: int) -> None:
        self.cursor = max(self.cursor, position)
        self.moved.set()

    async def reaches(self, position: int, deadline: float) -> bool:
        """Wait until the cursor is there; False when it isn't by the deadline, or never will be."""
        while self.cursor < position and not self.is_finished:
            self.moved.clear()
            try:
                async with asyncio.timeout_at(asyncio.get_running_loop().time() + deadline - time.monotonic()):
                    await self.moved.wait()
            except TimeoutError:
                return False
        return self.cursor >= position

    @property
    def is_finished(self) -> bool:
        return self.refused_with is not None

    def take_status(self, status: int) -> None:
        self.load.statuses[status] += 1
        if status in (401, 403, 404):
            self.refused_with = status

    async def turn(self, how: How = "page") -> bool:
        """Read on by page from the cursor to the end; False when the server could not say."""
        while True:
            path = f"/rooms/{self.room}/messages/?after={self.cursor}&limit={PAGE}"
            try:
                reply = await wire.get(self.load.port, path, self.person.session)
            except OSError:
                return False
            self.take_status(reply.status)
            if reply.status != 200:
                return False
            page = reply.json()
            for message in page["messages"]:
                self.show(message, how)
                self.move_to(message["position"])
            if not page["has_more"]:
                return True


@dataclass
class PageReader(Screen):
    """Somebody without streams, who looks every POLL_SECONDS."""

    async def run(self) -> None:
        while not self.is_finished:
            await self.turn()
            await asyncio.sleep(POLL_SECONDS)
        self.moved.set()


@dataclass
class StreamReader(Screen):
    """Somebody with a stream, reopened at the cursor whenever it ends, until the server says that it is revoked."""

    query: str = ""
    is_open: asyncio.Event = field(default_factory=asyncio.Event)
    heard: Counter[str] = field(default_factory=Counter)
    opened: int = 0
    last_heard_at: float = 0.0
    revoked_at: float | None = None
    ended_at: float | None = None
    pinged_at: list[float] = field(default_factory=list)
    is_awake: asyncio.Event = field(default_factory=asyncio.Event)  # cleared: it takes no bytes off its socket
    _retry: float = 0.0
    _opened_at: float = 0.0

    def __post_init__(self) -> None:
        self.is_awake.set()

    async def run(self) -> None:
        while not self.is_finished:
            try:
                await self._read()
            except OSError:
                self.heard["broken off"] += 1
            self.ended_at = time.monotonic()
            await asyncio.sleep(self._pause())
        self.moved.set()

    def _pause(self) -> float:
        return self._retry if self.load.honours_retry and self._retry else self.load.random.uniform(*RETRY_SECONDS)

    async def _read(self) -> None:
        port = self.load.reading_port or self.load.port
        path = f"/rooms/{self.room}/stream/{self.query}"
        async with wire.stream(port, path, self.person.session, self.cursor, silence=SILENCE_SECONDS) as opened:
            reply, events = opened
            self.take_status(reply.status)
            if reply.status != 200:
                return
            self.opened += 1
            self._opened_at = time.time()
            self.is_open.set()
            async for event in events:
                await self._take(event)
                await self.is_awake.wait()

    async def _take(self, event: wire.Event) -> None:
        self.last_heard_at = time.monotonic()
        self.heard[event.name] += 1
        if event.name == "retry":
            self._retry = event.data["milliseconds"] / 1000
        elif event.name == "reset":
            await self.turn()
            self.move_to(event.data["position"])
        elif event.name == "revoked":
            self.revoked_at = time.monotonic()
        elif event.name == "ping":
            self.pinged_at.append(self.last_heard_at)
        elif event.id is not None:
            self._take_durable(event, event.id)

    def _take_durable(self, event: wire.Event, position: int) -> None:
        if position <= self.cursor:
            self.load.history.repeats += 1
            return
        if event.name == "message_created":
            message = event.data["message"]
            posted_at = datetime.fromisoformat(message["created_at"]).timestamp()
            self.show(message, "live" if posted_at >= self._opened_at else "replay")
        self.move_to(position)
