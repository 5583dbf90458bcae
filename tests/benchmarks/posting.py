"""Messages, posted through the actions as anybody's are, in this process: what is measured is the server's."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from django.db import connection, transaction

from messaging.actions import post_message
from rooms.models import Room
from tests.benchmarks.stage import Person

TEXT = "Line {number} of what is said here: about as long as *most* of what people write in a chat."


def post_paced(room: Room, people: list[Person], *, number: int, rate: float) -> dict[int, int]:
    """Post so many messages, `rate` a second; return when each position was published (`time.monotonic_ns`)."""
    published: dict[int, int] = {}
    began = time.monotonic()
    for index in range(number):
        time.sleep(max(0.0, began + index / rate - time.monotonic()))
        position, at = _post(room, people[index % len(people)], index)
        published[position] = at
    return published


def post_at_once(room: Room, people: list[Person], *, number: int) -> None:
    """Post so many messages that become visible in one instant."""
    with transaction.atomic():
        for index in range(number):
            _post(room, people[index % len(people)], index)


def post_by_many(room: Room, people: list[Person], *, number: int, writers: int) -> None:
    """Post so many messages as fast as so many writers can."""
    with ThreadPoolExecutor(writers) as threads:
        jobs = [threads.submit(_post_in_thread, room, people[index % len(people)], index) for index in range(number)]
    for job in jobs:
        job.result()


def stream_path(room: Room) -> str:
    """The stream that a browser asks for: its frames have the rendered row."""
    return f"/rooms/{room.slug}/stream/?format=html"


def head(room: Room) -> int:
    return Room.objects.values_list("last_position", flat=True).get(pk=room.pk)


def _post_in_thread(room: Room, person: Person, number: int) -> None:
    try:
        _post(room, person, number)
    finally:
        connection.close()  # back to the pool


def _post(room: Room, person: Person, number: int) -> tuple[int, int]:
    # Of what is done on commit, the noting of the time comes first: it stands between the commit and the NOTIFY.
    at = [0]
    with transaction.atomic():
        transaction.on_commit(lambda: at.append(time.monotonic_ns()))
        text = TEXT.format(number=number)
        posted = post_message(room, author=person.user, text=text, client_id=uuid.uuid4())
    return posted.message.position, at[-1]
