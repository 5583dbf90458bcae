"""This process's one LISTEN connection: channels counted by use, reconnected for ever."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import psycopg
from psycopg import sql

logger = logging.getLogger(__name__)

PULSE_SECONDS = 20.0  # a SELECT this often, so that a dead connection is noticed and the queue is gauged
ANSWER_SECONDS = 10.0
BACK_OFF_SECONDS = (0.1, 5.0)


class Listener:
    """Hears NOTIFYs on the channels that are in use and hands each to `heard(channel, payload)`.

    `reconnected()` is called after every (re)connection once all channels are LISTENed to: what was sent before it
    may have been missed. Both callbacks run in the event loop and must not block.
    """

    def __init__(
        self,
        connection_settings: Callable[[], dict[str, Any]],
        heard: Callable[[str, str], None],
        reconnected: Callable[[], None],
    ) -> None:
        self._connection_settings = connection_settings
        self._heard = heard
        self._reconnected = reconnected
        self._uses: Counter[str] = Counter()
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._reading: asyncio.Task[None] | None = None
        self._running: asyncio.Task[None] | None = None
        self._commanding = asyncio.Lock()
        self._lost = asyncio.Event()
        self.alive_at = 0.0  # time.monotonic() of the start, then of the last proof of life
        self.queue_usage = 0.0  # fraction of the server's NOTIFY queue in use, 0 to 1

    @property
    def is_connected(self) -> bool:
        return self._connection is not None

    @property
    def channels(self) -> frozenset[str]:
        return frozenset(self._uses)

    @property
    def backend_pid(self) -> int | None:
        return self._connection.info.backend_pid if self._connection else None

    def start(self) -> None:
        self.alive_at = time.monotonic()
        self._running = asyncio.create_task(self._run(), name="listener")

    async def stop(self) -> None:
        if self._running:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running

    async def add(self, channel: str) -> None:
        """Count one use of a channel, and LISTEN to it if it is the first.

        Returns when NOTIFYs sent from now on will be heard, or at once while there is no connection: then the channel
        is LISTENed to with all others when there is one again.
        """
        self._uses[channel] += 1
        if self._uses[channel] == 1:
            await self._command(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))

    async def remove(self, channel: str) -> None:
        """Take one use of a channel back, and UNLISTEN it after the last."""
        self._uses[channel] -= 1
        if self._uses[channel] <= 0:
            del self._uses[channel]
            await self._command(sql.SQL("UNLISTEN {}").format(sql.Identifier(channel)))

    async def _command(self, statement: sql.Composed | sql.SQL) -> tuple[Any, ...] | None:
        """Run a statement on the connection, the reader standing aside for it; a failure is the connection's end."""
        async with self._commanding:
            connection = self._connection
            if connection is None:
                return None
            try:
                async with self._reader_aside(connection):
                    cursor = await connection.execute(statement)
                    return await cursor.fetchone() if cursor.description else None
            except psycopg.Error:
                self._lost.set()  # _run connects again, and LISTENs to what is in use then
                return None

    @asynccontextmanager
    async def _reader_aside(self, connection: psycopg.AsyncConnection[Any]) -> AsyncIterator[None]:
        # notifies() holds the connection's lock while it waits. Cancelling it there loses nothing: what arrives
        # meanwhile is kept by the connection and handed out first when notifies() begins again.
        if self._reading:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading
        try:
            yield
        finally:
            self._reading = asyncio.create_task(self._read(connection), name="listener-reader")

    async def _read(self, connection: psycopg.AsyncConnection[Any]) -> None:
        try:
            async for notify in connection.notifies():
                self.alive_at = time.monotonic()
                self._heard(notify.channel, notify.payload)
        except psycopg.Error:
            self._lost.set()

    async def _run(self) -> None:
        failures = 0
        while True:
            try:
                await self._connect()
                failures = 0
                await self._pulse()
            except (psycopg.Error, OSError) as error:
                logger.warning("The LISTEN connection was lost; connecting again: %s", type(error).__name__)
            finally:
                await self._disconnect()
            failures += 1
            low, high = BACK_OFF_SECONDS
            await asyncio.sleep(min(high, low * 2**failures) * random.uniform(0.5, 1))  # noqa: S311

    async def _connect(self) -> None:
        connection = await psycopg.AsyncConnection.connect(**self._connection_settings(), autocommit=True)
        async with self._commanding:
            # Channels that come into use from here on wait for the lock, then find the connection.
            for channel in list(self._uses):
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            self._lost.clear()
            self._connection = connection
            self._reading = asyncio.create_task(self._read(connection), name="listener-reader")
        self.alive_at = time.monotonic()
        self._reconnected()

    async def _pulse(self) -> None:
        """Prove the connection alive every PULSE_SECONDS; return or raise when it is not."""
        while True:
            try:
                await asyncio.wait_for(self._lost.wait(), PULSE_SECONDS)
                return
            except TimeoutError:
                # Asking for the queue's usage also advances its tail: a full queue stays full until somebody does.
                question = self._command(sql.SQL("SELECT pg_notification_queue_usage()"))
                row = await asyncio.wait_for(question, ANSWER_SECONDS)
            if row:
                self.queue_usage = float(row[0])
                self.alive_at = time.monotonic()

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        reading, self._reading = self._reading, None
        if reading:
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading
        if connection:
            await connection.close()
