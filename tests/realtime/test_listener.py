"""What becomes of the LISTEN connection when the process has run out of files."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from project.realtime.listener import Listener
from project.realtime.reader import connection_settings

BOUND = 10.0


@contextmanager
def no_more_files() -> Iterator[None]:
    """Let nothing be opened in this process."""
    most, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


@pytest.mark.django_db(transaction=True)
def test_channel_that_could_not_be_listened_to_is_listened_to_on_the_next_connection() -> None:
    async def scenario() -> None:
        connected = asyncio.Queue[int | None]()
        listener = Listener(connection_settings, lambda *_: None, lambda: connected.put_nowait(listener.backend_pid))
        listener.start()
        try:
            async with asyncio.timeout(BOUND):
                first = await connected.get()
                with no_more_files():
                    await listener.add("room_x")
                assert await connected.get() != first
                assert listener.channels == {"room_x"}
        finally:
            await listener.stop()

    asyncio.run(scenario())
