"""Whether reading gets dearer as the database fills."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection

from messaging import markup
from messaging.sidebar_reading import sidebar_rooms
from rooms.models import Event, Membership, Room
from tests.benchmarks.figures import Figure, middle
from tests.benchmarks.posting import TEXT, head
from tests.benchmarks.stage import Person, Stage

FEW = 1_000
MANY = 100_000
MANY_FULL = 1_000_000
ROOMS = 6  # one, the bot's, and four with a tenth of all messages each
PEOPLE = 20
TRIES = 40

Question = Callable[["Place"], object]


@dataclass(frozen=True)
class Place:
    """A room with messages, somebody who has read none of them and their connection to the server.

    The bot wrote all messages of another room, which grows as the first one does.
    """

    room: Room
    reader: Person
    bot: Person
    http: http.client.HTTPConnection

    def get(self, path: str) -> bytes:
        self.http.request("GET", path, headers={"Cookie": self.reader.cookie, "Accept": "application/json, text/html"})
        response = self.http.getresponse()
        body = response.read()
        if response.status != 200:
            raise RuntimeError(f"GET {path} was answered with {response.status}")
        return body


def measure(stage: Stage) -> Iterator[Figure]:
    """Few messages, then many: the room and the bot's hold three tenths of all, the reader's other rooms the rest."""
    total = stage.pick(MANY, short=10 * FEW, full=MANY_FULL)
    people = stage.people(PEOPLE)
    room, bots, *others = rooms = [stage.room(members=PEOPLE)[0] for _ in range(ROOMS)]
    bot = stage.people(PEOPLE + 1)[-1]
    Membership.objects.create(room=bots, user=bot.user)
    Membership.objects.filter(room__in=rooms).update(last_read_position=0)

    def fill_all(number: int) -> None:
        fill(room, people, number * 3 // 10)
        fill(bots, [bot], number * 3 // 10)
        for other in others:
            fill(other, people, number // 10)

    fill_all(FEW)
    with stage.server() as (server, _usage):
        place = Place(room, people[1], bot, http.client.HTTPConnection("127.0.0.1", server.port, timeout=60))
        tries = stage.pick(TRIES, short=10)
        few = _answers(place, tries, stage.rounds)
        stage.say(f"  {total:,} messages are written …")
        fill_all(total - FEW)
        place.http.close()  # the server has closed its end meanwhile; the next request connects anew
        many = _answers(place, tries, stage.rounds)
        place.http.close()
    for name in QUESTIONS:
        title = f"{name}, {total:,} messages"
        yield middle(_figure(title, *pair) for pair in zip(many[name], few[name], strict=True))


def _answers(place: Place, tries: int, rounds: int) -> dict[str, list[float]]:
    return {
        name: [_milliseconds(question, place, tries) for _ in range(rounds)] for name, question in QUESTIONS.items()
    }


def _figure(name: str, many: float, few: float) -> Figure:
    return Figure(name, many, "ms", floor=few, bar=1.5, against=f"with {FEW:,} messages")


def _milliseconds(question: Question, place: Place, tries: int) -> float:
    """Return the shortest of many times that the answer takes: what others do on the machine only adds to it."""
    times = []
    for _ in range(tries):
        began = time.monotonic()
        question(place)
        times.append((time.monotonic() - began) * 1e3)
    return min(times)


def _page(place: Place) -> None:
    place.get(f"/rooms/{place.room.slug}/")


def _history(place: Place) -> None:
    middle = head(place.room) // 2
    place.get(f"/rooms/{place.room.slug}/messages/?before={middle}&limit=50")


def _unread(place: Place) -> None:
    sidebar_rooms(place.reader.user)


def _unread_by_a_bot(place: Place) -> None:
    """Somebody who wrote all there is and never reads, as a bot does."""
    sidebar_rooms(place.bot.user)


QUESTIONS: dict[str, Question] = {
    "a room's page": _page,
    "a page of history from the middle": _history,
    "which rooms have something unread": _unread,
    "the same for who wrote it all": _unread_by_a_bot,
}


def fill(room: Room, people: list[Person], number: int) -> None:
    """Write so many messages and their events behind the actions' back, as the actions would have."""
    first = head(room) + 1
    text = TEXT.format(number=0)
    authors = [person.user.pk for person in people]
    values: dict[str, Any] = {
        "room": room.pk,
        "first": first,
        "last": first + number - 1,
        "authors": authors,
        "text": text,
        "html": markup.render(text),
        "version": markup.VERSION,
        "kind": Event.Kind.MESSAGE_CREATED.value,
    }
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(_MESSAGES, values)
        cursor.execute(_EVENTS, values)
        Room.objects.filter(pk=room.pk).update(last_position=values["last"])
        if len(people) == 1:  # nobody else wrote anything that they could have left unread
            Membership.objects.filter(room=room, user__in=authors).update(last_read_position=values["last"])
        cursor.execute("VACUUM ANALYZE messaging_message, rooms_event, rooms_room")
        cursor.execute("RESET statement_timeout")


_MESSAGES = """
    INSERT INTO messaging_message (room_id, position, author_id, client_id, text, html, html_version)
    SELECT %(room)s, place, (%(authors)s::bigint[])[1 + place %% array_length(%(authors)s::bigint[], 1)],
           gen_random_uuid(), %(text)s, %(html)s, %(version)s
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS place
"""

_EVENTS = """
    INSERT INTO rooms_event (room_id, position, kind, actor_id, message_id)
    SELECT room_id, position, %(kind)s, author_id, id
    FROM messaging_message
    WHERE room_id = %(room)s AND position BETWEEN %(first)s AND %(last)s
"""
