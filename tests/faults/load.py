"""Posters that try again with the same key until they know, and readers that never give their cursor up."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from random import Random

from tests.faults import wire
from tests.faults.cast import Person
from tests.faults.history import Answer, Call, History, Shown, Stay
from tests.faults.readers import RETRY_SECONDS, PageReader, Screen, StreamReader

ATTEMPT_SECONDS = 8.0
GIVE_UP_SECONDS = 60.0
PAUSE_SECONDS = 0.5
OPENING_SECONDS = 60.0
STREAMS_PER_PERSON = 5  # the product ends a ninth in one process


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
    query: str = ""  # of the streams' address

    @property
    def people(self) -> int:
        return self.posters + self.guests + -(-self.streams // STREAMS_PER_PERSON) + 1


USUAL = Shape()
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
    patience: float = ATTEMPT_SECONDS  # how long a poster waits for an answer
    heads: dict[str, int] = field(default_factory=dict)  # where each room's log ended before anybody posted
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
            room = self.rooms[number % len(self.rooms)]
            self.add_stream(person, room, query=self.shape.query, cursor=self.heads.get(room, 0))
        for number in range(self.shape.pages):
            self.add_page(self.readers[0], self._room(number))
        async with asyncio.timeout(OPENING_SECONDS):
            for stream in self.streams:
                await stream.is_open.wait()
        self._posting = [asyncio.create_task(self._post_for_ever(person)) for person in self.posters]

    def add_stream(self, person: Person, room: str, *, query: str = "", cursor: int = 0) -> StreamReader:
        """Start one more reader, who has to see all of the log after the cursor."""
        reader = StreamReader(f"{person.name}.{len(self.streams)}", person, room, self, cursor, query=query)
        self.streams.append(reader)
        self.history.stays.append(Stay(reader.name, room, first=cursor, came_at=time.monotonic()))
        self._reading.append(asyncio.create_task(reader.run()))
        return reader

    def add_page(self, person: Person, room: str, *, cursor: int = 0) -> PageReader:
        """Start one more reader without a stream, who has to see all of the log after the cursor."""
        reader = PageReader(f"{person.name}.page{len(self.pages)}", person, room, self, cursor)
        self.pages.append(reader)
        self.history.stays.append(Stay(reader.name, room, first=cursor))
        self._reading.append(asyncio.create_task(reader.run()))
        return reader

    def end_stay(self, reader: Screen, last: int) -> None:
        """The reader has no right to what comes after this position, and need not have seen all that came before."""
        stay = next(stay for stay in self.history.stays if stay.reader == reader.name)
        self.history.stays.remove(stay)
        self.history.stays.append(replace(stay, last=last, always_there=False))

    @asynccontextmanager
    async def outage(self, *, excuses: bool = True) -> AsyncIterator[None]:
        """The time in which something does not work; it ends when the cause does.

        It `excuses` delays when nothing can be shown meanwhile whatever Earshot does.
        """
        began = time.monotonic()
        try:
            yield
        finally:
            self.history.healed_at = time.monotonic()
            if excuses:
                self.history.outages.append((began, self.history.healed_at))

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
            reply = await wire.post(self.port, path, person.session, fields, seconds=self.patience)
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
            await asyncio.sleep(PAUSE_SECONDS)
        return final.screen

    def _room(self, number: int) -> str:
        return self.rooms[number % len(self.rooms)]
