"""A process of writers that post through the actions as fast as they can: `python -m tests.benchmarks.writer`."""

import asyncio
import itertools
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection, transaction

from tests.benchmarks import answering, environment

environment.set_up()

from accounts.models import User  # noqa: E402 (they are models, or use them)
from messaging.actions import post_message  # noqa: E402
from rooms.models import Room  # noqa: E402
from tests.benchmarks.posting import TEXT  # noqa: E402


class Writers:
    def commands(self) -> dict[str, answering.Answer]:
        return {"prepare": self.prepare, "write": self.write}

    async def prepare(self, rooms: list[int], users: list[int], *, inside: bool) -> None:
        """Have each of these users be a writer, going from room to room; `inside` publishes before the commit."""
        await asyncio.to_thread(self._prepare, rooms, users)
        if inside:
            # What rooms.log leaves for after the commit is done on the spot: the rival is that one difference.
            setattr(transaction, "on_commit", _at_once)  # noqa: B010

    async def write(self, seconds: float) -> int:
        """Return how many messages were acknowledged. Errors are raised, deadlocks among them."""
        return await asyncio.to_thread(self._write, time.monotonic() + seconds)

    def _prepare(self, rooms: list[int], users: list[int]) -> None:
        self._users = list(User.objects.filter(pk__in=users))
        self._rooms = list(Room.objects.filter(pk__in=rooms))
        self._write(time.monotonic() + 0.3)  # opens the connections

    def _write(self, end: float) -> int:
        with ThreadPoolExecutor(len(self._users)) as threads:
            jobs = [threads.submit(self._one, place, user, end) for place, user in enumerate(self._users)]
        return sum(job.result() for job in jobs)

    def _one(self, place: int, author: User, end: float) -> int:
        try:
            for number in itertools.count():
                if time.monotonic() >= end:
                    return number
                room = self._rooms[(place + number) % len(self._rooms)]
                post_message(room, author=author, text=TEXT.format(number=number), client_id=uuid.uuid4())
        finally:
            connection.close()
        raise AssertionError("unreachable")


def _at_once(publish: Callable[[], Any], using: str | None = None, robust: bool = False) -> None:
    publish()


if __name__ == "__main__":
    answering.run(lambda: Writers().commands())
