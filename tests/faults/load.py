"""Posters that try again with the same key until they know, and readers that never give their cursor up."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from tests.faults import wire
from tests.faults.history import Answer, Call, History, How, Shown, Stay

ATTEMPT_SECONDS = 8.0
RETRY_SECONDS = (0.1, 0.5)
GIVE_UP_SECONDS = 60.0
SILENCE_SECONDS = 50.0  # what a client waits for a ping at most
POLL_SECONDS = 0.5
PAGE = 100
STREAMS_PER_PERSON = 5  # the product ends a ninth in one process


@dataclass(frozen=True)
class Person:
    name: str
    session: str


@dataclass(frozen=True)
class Shape:
    """How much goes on: `rate` is messages a second by all posters together."""

    rooms: int = 5
    posters: int = 10
    streams: int = 30
    pages: int = 2
    rate: float = 20.0
    filler: int = 0  # characters added to each message
    guests: int = 0  # more members, who do nothing unless the case has them do it

    @property
    def people(self) -> int:
        return self.posters + self.guests + -(-self.streams // STREAMS_PER_PERSON) + 1


SHORT = Shape()
LONG = Shape(rooms=20, posters=20, streams=200, pages=4)


@dataclass
class Load:
    """One run's posters and readers on the server at `port`; `reading_port` is where the streams go, if elsewhere."""

    port: int
    rooms: list[str]
    posters: list[Person]
    readers: list[Person]
    guests: list[Person]
    shape: Shape
    random: Random
    reading_port: int | None = None
    honours_retry: bool = False
    history: History = field(default_factory=History)
    statuses: Counter[int] = field(default_factory=Counter)
    answer_seconds: list[float] = field(default_factory=list)
    streams: list[StreamReader] = field(default_factory=list)
    pages: list[PageReader] = field(default_factory=list)
    _reading: list[asyncio.Task[None]] = field(default_factory=list)
    _posting: list[asyncio.Task[None]] = field(default_factory=list)
    is_over: asyncio.Event = field(default_factory=asyncio.Event)

    async def open(self) -> None:
        """Have all readers connected, then let the posters begin."""
        for number in range(self.shape.streams):
            person = self.readers[number // STREAMS_PER_PERSON]
            self.add_stream(person, self.rooms[number % len(self.rooms)])
        for number in range(self.shape.pages):
            page_reader = PageReader(f"{self.readers[0].name}.page{number}", self.readers[0], self._room(number), self)
            self.pages.append(page_reader)
            self._reading.append(asyncio.create_task(page_reader.run()))
            self.history.stays.append(Stay(page_reader.name, page_reader.room))
        async with asyncio.timeout(30):
            for stream in self.streams:
                await stream.is_open.wait()
        self._posting = [asyncio.create_task(self._post_for_ever(person)) for person in self.posters]

    def add_stream(self, person: Person, room: str, *, query: str = "", cursor: int = 0) -> StreamReader:
        """Start one more reader, who has to see all of the log after the cursor."""
        reader = StreamReader(f"{person.name}.{len(self.streams)}", person, room, self, cursor, query=query)
        self.streams.append(reader)
        self.history.stays.append(Stay(reader.name, room, first=cursor))
        self._reading.append(asyncio.create_task(reader.run()))
        return reader

    def end_stay(self, reader: StreamReader, last: int) -> None:
        """The reader has no right to what comes after this position, and need not have seen all that came before."""
        others = [stay for stay in self.history.stays if stay.reader != reader.name]
        self.history.stays = [*others, Stay(reader.name, reader.room, last=last, always_there=False)]

    @asynccontextmanager
    async def outage(self) -> AsyncIterator[None]:
        """The time in which nothing can be acknowledged or shown; it ends when the cause does."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.history.outages.append((began, time.monotonic()))

    async def goes_on(self, seconds: float) -> None:
        """Let the load run for a while; a poster that fell over ends the wait with its error."""
        done, _ = await asyncio.wait(self._posting + self._reading, timeout=seconds)
        for task in done:
            task.result()

    async def pause(self) -> None:
        """Have the posters finish what they are saying, and say no more."""
        self.is_over.set()
        await asyncio.gather(*self._posting)

    async def settle(self, seconds: float) -> None:
        """Stop posting, let the readers reach the end within `seconds`, and read every room by page; done once."""
        if self.history.final:
            return
        await self.pause()
        self.history.final = [shown for room in self.rooms for shown in await self._whole(room)]
        last = {shown.room: shown.position for shown in self.history.final}
        deadline = time.monotonic() + seconds
        for reader in [*self.streams, *self.pages]:
            await reader.reaches(last.get(reader.room, 0), deadline)

    async def close(self) -> None:
        self.is_over.set()
        for task in self._reading + self._posting:
            task.cancel()
        outcomes = await asyncio.gather(*self._reading, *self._posting, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome

    def new_call(self, person: Person, room: str, word: str = "") -> Call:
        """Begin to say something: its text is its key, then a word, then what makes it long."""
        key = uuid.UUID(int=self.random.getrandbits(128), version=4)
        text = f"{key} {word} {'x' * self.shape.filler}".strip()
        self.history.calls.append(Call(person.name, room, str(key), text, began=time.monotonic()))
        return self.history.calls[-1]

    async def say(self, person: Person, room: str, word: str = "") -> Call:
        """Post one message, trying again until it is known what became of it."""
        call = self.new_call(person, room, word)
        while True:
            call.answers.append(await self.attempt(person, call))
            if call.answers[-1].outcome != "info" or time.monotonic() - call.began > GIVE_UP_SECONDS:
                return call
            await asyncio.sleep(self.random.uniform(*RETRY_SECONDS))

    async def attempt(self, person: Person, call: Call) -> Answer:
        """Post it once, and return what that came to."""
        began = time.monotonic()
        fields = {"text": call.body, "client_id": call.key}
        try:
            path = f"/rooms/{call.room}/messages/"
            reply = await wire.post(self.port, path, person.session, fields, seconds=ATTEMPT_SECONDS)
        except OSError:
            self.statuses[0] += 1
            return Answer("info", time.monotonic())
        now = time.monotonic()
        self.statuses[reply.status] += 1
        self.answer_seconds.append(now - began)
        if reply.status in (200, 201):
            return Answer("ok", now, int(reply.json()["position"]))
        return Answer("fail" if reply.status < 500 and reply.status != 429 else "info", now)

    async def _post_for_ever(self, person: Person) -> None:
        pause = self.shape.posters / self.shape.rate
        while not self.is_over.is_set():
            await self.say(person, self.random.choice(self.rooms))
            await asyncio.sleep(self.random.uniform(0.5, 1.5) * pause)

    async def _whole(self, room: str) -> list[Shown]:
        """Read a room by page from its beginning, as somebody who is still a member."""
        final = PageReader("final", self.posters[0], room, self)
        deadline = time.monotonic() + GIVE_UP_SECONDS
        while not await final.turn():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{room} could not be read in the end")
            await asyncio.sleep(POLL_SECONDS)
        return final.screen

    def _room(self, number: int) -> str:
        return self.rooms[number % len(self.rooms)]


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
        return False

    async def turn(self, how: How = "page") -> bool:
        """Read on by page from the cursor to the end; False when the server could not say."""
        while True:
            path = f"/rooms/{self.room}/messages/?after={self.cursor}&limit={PAGE}"
            try:
                reply = await wire.get(self.load.port, path, self.person.session)
            except OSError:
                return False
            self.load.statuses[reply.status] += 1
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
        while True:
            await self.turn()
            await asyncio.sleep(POLL_SECONDS)


@dataclass
class StreamReader(Screen):
    """Somebody with a stream, reopened at the cursor whenever it ends, until the server says that it is revoked."""

    query: str = ""
    is_open: asyncio.Event = field(default_factory=asyncio.Event)
    heard: Counter[str] = field(default_factory=Counter)
    opened: int = 0
    refused_with: int | None = None
    last_heard_at: float = 0.0
    revoked_at: float | None = None
    ended_at: float | None = None
    _retry: float = 0.0
    _opened_at: float = 0.0

    @property
    def is_finished(self) -> bool:
        return self.refused_with is not None

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
            self.load.statuses[reply.status] += 1
            if reply.status in (401, 403, 404):
                self.refused_with = reply.status
            if reply.status != 200:
                return
            self.opened += 1
            self._opened_at = time.time()
            self.is_open.set()
            async for event in events:
                await self._take(event)

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
