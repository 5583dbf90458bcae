"""This process's one LISTEN connection: channels counted by use, reconnected for ever."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import sql

from project.realtime.reader import why

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
        self._descriptor: int | None = None
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
        """Run a statement on the connection, nobody reading it meanwhile; a failure is the connection's end."""
        async with self._commanding:
            connection = self._connection
            if connection is None or connection.closed:
                return None
            try:
                with self._reading_suspended(connection):
                    cursor = await connection.execute(statement)
                    return await cursor.fetchone() if cursor.description else None
            except (psycopg.Error, OSError):
                self._lost.set()  # _run connects again, and LISTENs to what is in use then
                return None

    @contextmanager
    def _reading_suspended(self, connection: psycopg.AsyncConnection[Any]) -> Iterator[None]:
        # psycopg waits for its answer on the same socket. What is notified meanwhile it hands to the same handler.
        self._stop_reading()
        try:
            yield
        finally:
            if not connection.closed:
                self._read(connection)

    def _read(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Take what has arrived, and have the loop call again when there is more.

        psycopg's `notifies()` does the same, but wakes ten times a second, and makes a task's turn of every wake-up.
        """
        # A duplicate: libpq closes its own descriptor when the connection breaks, and the loop would watch whatever is
        # opened under that number next.
        self._descriptor = os.dup(connection.fileno())
        asyncio.get_running_loop().add_reader(self._descriptor, self._take, connection)
        self._take(connection)

    def _stop_reading(self) -> None:
        if self._descriptor is not None:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None

    def _take(self, connection: psycopg.AsyncConnection[Any]) -> None:
        try:
            connection.pgconn.consume_input()
            while notify := connection.pgconn.notifies():
                self.alive_at = time.monotonic()
                self._heard(notify.relname.decode(), notify.extra.decode())
        except psycopg.Error:
            self._stop_reading()
            self._lost.set()

    async def _run(self) -> None:
        failures = 0
        while True:
            try:
                await self._connect()
                failures = 0
                await self._pulse()
            except (psycopg.Error, OSError) as error:
                logger.warning("The LISTEN connection was lost; connecting again: %s", why(error))
            finally:
                await self._disconnect()
            failures += 1
            low, high = BACK_OFF_SECONDS
            await asyncio.sleep(min(high, low * 2**failures) * random.uniform(0.5, 1))  # noqa: S311

    async def _connect(self) -> None:
        connection = await psycopg.AsyncConnection.connect(**self._connection_settings(), autocommit=True)
        connection.add_notify_handler(lambda notify: self._heard(notify.channel, notify.payload))
        async with self._commanding:
            # Channels that come into use from here on wait for the lock, then find the connection.
            for channel in list(self._uses):
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            self._lost.clear()
            self._connection = connection
            self._read(connection)
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
        self._stop_reading()
        if connection:
            await connection.close()
