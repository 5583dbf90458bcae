"""Bringing frames to many streams: by Earshot, by a server that only writes, and by the usual way."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from project.realtime.hub import RECHECK_SECONDS
from rooms.models import Room
from tests.benchmarks.child import ANSWER_SECONDS, ROOT, Child, Usage
from tests.benchmarks.posting import head, stream_path
from tests.benchmarks.stage import Person, Stage
from tests.server import free_port

START_SECONDS = 30.0
WAIT_SECONDS = 60.0

FLOOR = "raw writes"
USUAL = "StreamingHttpResponse, Daphne"


@dataclass(frozen=True)
class Run:
    """What the streams got, and the server's CPU seconds for it."""

    cpu: float
    events: int
    frames: list[str] = field(default_factory=list)  # those of one stream, in base64
    delays: list[float] = field(default_factory=list)  # from publishing to each receipt, milliseconds in order

    @property
    def cost(self) -> float:
        """Microseconds of CPU per delivered event."""
        return self.cpu / self.events * 1e6


Post = Callable[[], dict[int, int] | None]  # may tell when each position was published (`time.monotonic_ns`)


@dataclass(frozen=True)
class Audience:
    """A room whose members all have a stream open on a server of ours."""

    room: Room
    people: list[Person]
    port: int
    crowd: Child
    usage: Usage

    def deliver(self, number: int, post: Post) -> Run:
        """Have `post` publish so many messages, and wait until everybody has them."""
        self.usage.settle()
        self.crowd.ask("expect", position=head(self.room) + number)
        before = self.usage.cpu
        published = post()
        arrived = self.crowd.ask("wait", seconds=WAIT_SECONDS)
        cpu = self.usage.cpu - before
        _require(arrived["events"], number * len(self.people))
        delays = self.crowd.ask("delays", published=published) if published else []
        return Run(cpu, arrived["events"], self.crowd.ask("frames"), delays)


@contextmanager
def audience(stage: Stage, streams: int, **environment: str) -> Iterator[Audience]:
    room, people = stage.room(streams)
    with stage.server(**environment) as (server, usage), Child("listeners") as crowd:
        crowd.ask("open", port=server.port, path=stream_path(room), cookies=[person.cookie for person in people])
        time.sleep(stage.pick(RECHECK_SECONDS + 1, short=0.0))  # a stream's first check is dearer than the later ones
        yield Audience(room, people, server.port, crowd, usage)


@dataclass(frozen=True)
class Rival:
    """The same streams on another server, which writes what it is given: frames, so many a second (0: at once)."""

    crowd: Child
    usage: Usage
    broadcast: Callable[[list[str], float], object]
    streams: int

    def replay(self, frames: list[str], rate: float) -> Run:
        self.usage.settle()
        self.crowd.ask("expect", position=_position(frames[-1]))
        before = self.usage.cpu
        self.broadcast(frames, rate)
        arrived = self.crowd.ask("wait", seconds=WAIT_SECONDS)
        cpu = self.usage.cpu - before
        _require(arrived["events"], len(frames) * self.streams)
        return Run(cpu, arrived["events"])


@contextmanager
def raw_writes(streams: int) -> Iterator[Rival]:
    with Child("floor") as floor, Child("listeners") as crowd:
        crowd.ask("open", port=floor.ask("listen"), path="/", cookies=[""] * streams)
        yield Rival(crowd, floor.usage, lambda frames, rate: floor.ask("broadcast", frames=frames, rate=rate), streams)


@contextmanager
def usual_way(streams: int) -> Iterator[Rival]:
    port = free_port()
    with _daphne(port) as usage, Child("listeners") as crowd:
        _when_answering(port)
        crowd.ask("open", port=port, path="/stream/", cookies=[""] * streams)
        yield Rival(crowd, usage, lambda frames, rate: _broadcast(port, frames, rate), streams)


@contextmanager
def _daphne(port: int) -> Iterator[Usage]:
    command = [sys.executable, "-m", "daphne", "-v", "0", "-b", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen([*command, "tests.benchmarks.rival:application"], cwd=ROOT)
    try:
        yield Usage(process.pid)
    finally:
        process.kill()  # it would wait for its streams to end
        process.wait()


def _when_answering(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            _broadcast(port, [], 0)
            return
        except urllib.error.URLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _broadcast(port: int, frames: list[str], rate: float) -> None:
    body = json.dumps({"frames": frames, "rate": rate}).encode()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/broadcast/", body, timeout=ANSWER_SECONDS):
        pass


def _position(frame: str) -> int:
    found = re.search(rb"id: (\d+)\n", base64.b64decode(frame))
    assert found
    return int(found[1])


def _require(events: int, expected: int) -> None:
    if events != expected:
        raise RuntimeError(f"{expected:,} events were due and {events:,} arrived: there is nothing to measure")
