"""What a process says of itself when its streams would not hear everything in time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import Client

from messaging.stream import HUB
from project import health
from project.realtime import hub, listener
from project.realtime.reader import connection_settings
from project.realtime.subscription import Ticket
from rooms.models import Room

BOUND = 15.0
PAYLOAD = "x" * 7_000
PAYLOADS = 600
SOME = 0.0003  # of the 8 GB that the queue has: less than half of what the payloads take

LATE = "the logs have not been compared with the table lately"
UNREAD = "the logs have not been looked at yet"
FILLING = "the NOTIFY queue is filling up"


def asked(path: str) -> Any:
    try:
        return Client().get(path)
    finally:
        connection.close()  # of this thread, which ends: it goes back to the pool


async def until(faults: list[str], path: str = "/healthz") -> None:
    """Ask this process how it is until that is what it says."""
    said: list[str] | None = None
    try:
        async with asyncio.timeout(BOUND):
            while said != faults:
                answer = await asyncio.to_thread(asked, path)
                said = answer.json().get("faults", [])
                assert answer.status_code == (503 if said else 200)
    except TimeoutError:
        raise AssertionError(f"it never said {faults}; the last it said was {said}") from None


def while_serving(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def served() -> None:
        HUB.start()
        try:
            await until([])
            await scenario()
        finally:
            await HUB.stop()

    asyncio.run(served())


def ticket(room: Room) -> Ticket:
    return Ticket(room.pk, room.channel_name, room.slug, 0, "", room.last_position, room.last_position)


def test_process_is_not_ready_before_it_can_read_the_logs(transactional_db: None) -> None:
    async def scenario() -> None:
        async with await psycopg.AsyncConnection.connect(**connection_settings()) as outside:
            await outside.execute("LOCK TABLE rooms_room IN ACCESS EXCLUSIVE MODE")
            HUB.start()
            await until([UNREAD], "/readyz")
            await outside.rollback()
        await until([], "/readyz")
        await HUB.stop()

    asyncio.run(scenario())


def test_logs_that_were_not_looked_at_for_long_are_told(
    transactional_db: None, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "RECONCILE_SECONDS", 0.1)
    monkeypatch.setattr(health, "RECONCILE_LATE_SECONDS", 0.6)

    async def scenario() -> None:
        await HUB.following.follow(ticket(room))
        async with await psycopg.AsyncConnection.connect(**connection_settings()) as outside:
            await outside.execute("LOCK TABLE rooms_room IN ACCESS EXCLUSIVE MODE")
            await until([LATE])
            await outside.rollback()
        await until([])

    while_serving(scenario)


def test_queue_of_wake_ups_that_fills_is_told(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "PULSE_SECONDS", 0.1)
    monkeypatch.setattr(health, "QUEUE_FILLING", SOME)

    async def scenario() -> None:
        async with await psycopg.AsyncConnection.connect(**connection_settings()) as asleep:
            await asleep.execute("LISTEN nothing_of_ours")
            await asleep.commit()
            await asleep.execute("SELECT 1")  # in a transaction nothing is heard, and all is kept for afterwards
            async with await psycopg.AsyncConnection.connect(**connection_settings(), autocommit=True) as loud:
                say = "SELECT pg_notify('nothing_of_ours', number || %s) FROM generate_series(1, %s) AS number"
                await loud.execute(say, [PAYLOAD, PAYLOADS])
            await until([FILLING])
            await asleep.rollback()
        await until([])

    while_serving(scenario)
