"""Between clients and server: readers that stop reading, vanish, meet a broken proxy, or come back all at once."""

from __future__ import annotations

import asyncio
import socket
import time
from math import inf

import psutil

from tests.faults import wire
from tests.faults.load import Load
from tests.faults.proxy import Relay, deafen, upstream_tcp
from tests.faults.stage import Control, Fault, Stage, waited_for

BAD_GATEWAY = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
TOO_MANY = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
CUT_OFF_SECONDS = 30.0
VANISHED_SECONDS = 45.0
GROWTH_MAX = 50 * 1024**2


async def never_reading(stage: Stage) -> None:
    stalled = int(stage.lasting(20, 50))
    async with stage.load(rooms=1, streams=10, filler=6000, rate=stage.lasting(20, 60), guests=stalled) as load:
        before = memory(stage)
        sockets = [await open_deaf_stream(load, person.session, reads=False) for person in load.guests]
        began = time.monotonic()
        await load.goes_on(stage.lasting(8, 40))
        growth = memory(stage) - before
        while open_at_server(stage, sockets) and time.monotonic() - began < 60:
            await load.goes_on(0.5)
        took = time.monotonic() - began
        for each in sockets:
            each.close()
    stage.promise("memory grows by less than 50 MB", growth < GROWTH_MAX, f"{growth / 1024**2:.0f} MB")
    # The design says 10 s after a window is full; when that is can't be seen from here.
    stage.promise_within("all of them are cut off, counted from their opening,", took, CUT_OFF_SECONDS)
    stage.promise_within("99 % are shown to the others", stage.trial.p99, 1.0)


async def vanished(stage: Stage) -> None:
    async with stage.load(guests=5) as load:
        sockets = [await open_deaf_stream(load, person.session, reads=True) for person in load.guests]
        for each in sockets:
            deafen(each)
        began = time.monotonic()
        while open_at_server(stage, sockets) and time.monotonic() - began < VANISHED_SECONDS + 5:
            await load.goes_on(0.5)
        took = time.monotonic() - began
        for each in sockets:
            each.close()
    stage.promise_within("the server has let go of them", took, VANISHED_SECONDS)


async def open_deaf_stream(load: Load, session: str, *, reads: bool) -> socket.socket:
    """Return the socket of an open stream. One that `reads` has taken the answer's beginning; the other never will."""
    sock = socket.socket()
    if not reads:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(sock, ("127.0.0.1", load.port))
    await loop.sock_sendall(sock, wire.head("GET", f"/rooms/{load.rooms[0]}/stream/", session, "text/event-stream"))
    if reads:
        await loop.sock_recv(sock, 65_536)
    return sock


def open_at_server(stage: Stage, sockets: list[socket.socket]) -> int:
    ours = {each.getsockname()[1] for each in sockets}
    theirs = [
        connection.raddr.port
        for worker in stage.site.server.worker_processes()
        for connection in worker.net_connections("tcp")
        if connection.raddr and connection.status == psutil.CONN_ESTABLISHED
    ]
    return len(ours.intersection(theirs))


def memory(stage: Stage) -> int:
    return sum(worker.memory_info().rss for worker in stage.site.server.worker_processes())


async def broken_proxy(stage: Stage) -> None:
    """502, then 429, then resets for readers; for posters, answers that get lost on their way."""
    async with (
        Relay(upstream_tcp(stage.port)) as reading,
        Relay(upstream_tcp(stage.port)) as posting,
        stage.load(port=posting.port, reading_port=reading.port) as load,
    ):
        await load.goes_on(1)
        posting.swallows_answers_to = b"POST"
        await load.goes_on(2)
        posting.swallows_answers_to = None
        if stage.is_control:
            return
        async with load.outage():
            for answer in (BAD_GATEWAY, TOO_MANY):
                reading.answer = answer
                reading.cut()
                await load.goes_on(stage.lasting(3, 20))
            reading.answer = None
        reading.refuses = True
        reading.cut()
        async with load.outage():
            await load.goes_on(1)
            reading.refuses = False
        await load.goes_on(2)
    stage.promise("answers were lost", posting.swallowed > 0, posting.swallowed)
    stage.promise_within("all is well again", stage.trial.recovery, 10.0)


async def all_cut_at_once(stage: Stage) -> None:
    streams = int(stage.lasting(250, 2000))
    async with (
        Relay(upstream_tcp(stage.port)) as relay,
        stage.load(streams=streams, reading_port=relay.port, honours_retry=True) as load,
    ):
        await load.goes_on(1)
        load.answer_seconds.clear()
        relay.accepted_at.clear()
        began = time.monotonic()
        before = [reader.opened for reader in load.streams]
        async with load.outage():
            cut = relay.cut()
            back = await came_back(load, before, 35)
        await load.goes_on(0.5)
        slow = sorted(load.answer_seconds)[int(len(load.answer_seconds) * 0.99)] if load.answer_seconds else inf
        busiest = max(sum(0 <= at - began - second < 1 for at in relay.accepted_at) for second in range(30))
    stage.promise("every stream was cut", cut >= streams, cut)
    stage.promise_within(f"{streams} streams are back", back, 30.0)
    stage.promise("at most 200 come back in a second", busiest <= 200, busiest)
    stage.promise_within("99 % of posts are answered meanwhile", slow, 0.5)


async def came_back(load: Load, before: list[int], seconds: float) -> float:
    """Return how long it took until every stream was open once more than before."""
    return await waited_for(
        lambda: all(reader.opened > times for reader, times in zip(load.streams, before, strict=True)), seconds
    )


FAULTS = [
    Fault("FI-11", "readers that never read", never_reading, covered_by="FI-01"),
    Fault("FI-12", "readers that vanish without a word", vanished, covered_by="FI-01"),
    Fault(
        "FI-16",
        "a proxy that answers 502, then 429, then resets; answers lost on their way",
        broken_proxy,
        Control("idempotency off", "duplicated", broken_proxy, without="idempotency"),
    ),
    Fault("FI-17", "all readers lose their streams at one instant", all_cut_at_once, covered_by="FI-01"),
]
