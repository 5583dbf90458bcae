"""Whatever a page, history and the unread ask of a large room goes by an index."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from messaging import sidebar_reading
from messaging.models import Message
from messaging.stream import RoomLogs
from rooms.models import Event, Membership, Room
from tests.conftest import client_of, join
from tests.factories import RoomFactory
from tests.plans import plan_of

pytestmark = pytest.mark.django_db

MESSAGES = 5_000
SCANNED = re.compile(r"Seq Scan on (messaging_message|rooms_event)\b")


@pytest.fixture
def reader(room: Room, owner: User) -> User:
    """Return a member of two large rooms, who has read none of one and half of the other."""
    reader = join(room, "reader")
    other = RoomFactory.create(name="Other", actor=owner)
    Membership.objects.create(room=other, user=reader, last_read_position=MESSAGES // 2)
    Membership.objects.filter(room=room, user=reader).update(last_read_position=0, joined_position=0)
    for each in (room, other):
        fill(each, owner)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE messaging_message, rooms_event")
    return reader


def fill(room: Room, author: User) -> None:
    room.refresh_from_db()
    first = room.last_position + 1
    messages = Message.objects.bulk_create(
        Message(room=room, author=author, position=first + place, text="x", html="<p>x</p>", client_id=_id(room, place))
        for place in range(MESSAGES)
    )
    Event.objects.bulk_create(
        Event(room=room, position=each.position, kind=Event.Kind.MESSAGE_CREATED, message=each, actor=author)
        for each in messages
    )
    Room.objects.filter(pk=room.pk).update(last_position=first + MESSAGES - 1)


def _id(room: Room, place: int) -> str:
    return f"{room.pk:016x}{place:016x}"


@contextmanager
def statements() -> Iterator[list[str]]:
    """Collect what is read in the block, with its values in it."""
    found: list[str] = []
    with CaptureQueriesContext(connection) as queries:
        yield found
    found += [query["sql"] for query in queries if query["sql"].lstrip().startswith(("SELECT", "WITH"))]


def scanned(asked: list[str]) -> list[str]:
    """Return those of the statements that go through a whole table of messages or events."""
    with connection.cursor() as cursor:
        return [each for each in asked if SCANNED.search(_explained(cursor, each))]


def _explained(cursor: CursorWrapper, statement: str) -> str:
    cursor.execute(f"EXPLAIN {statement}")
    return "\n".join(row[0] for row in cursor.fetchall())


def _unread(reader: User, room: Room) -> None:
    RoomLogs().readings([reader.pk])


def _get(query: str, **headers: str) -> Callable[[User, Room], None]:
    def get(reader: User, room: Room) -> None:
        assert client_of(reader).get(f"/rooms/{room.slug}/{query}", headers=headers).status_code == 200

    return get


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(_get(""), id="page"),
        pytest.param(_get(f"?at={MESSAGES // 2}"), id="page around a message"),
        pytest.param(_get(f"messages/?before={MESSAGES // 2}"), id="history"),
        pytest.param(_get(f"messages/?before={MESSAGES // 2}", accept="application/json"), id="history as JSON"),
        pytest.param(_get(f"messages/?after={MESSAGES // 2}", accept="application/json"), id="history forwards"),
        pytest.param(_unread, id="unread hints of a stream"),
    ],
)
def test_large_room_is_never_read_whole(reader: User, room: Room, ask: Callable[[User, Room], None]) -> None:
    with statements() as asked:
        ask(reader, room)
    assert any("messaging_message" in each or "rooms_event" in each for each in asked)
    assert scanned(asked) == []


def test_unread_in_the_list_of_rooms_is_found_by_the_index_whoever_asks(reader: User) -> None:
    """This one is planned once for all: the plan is made without knowing who asks."""
    plan = plan_of(sidebar_reading._READ, [reader.pk])
    assert SCANNED.search(plan) is None
    assert "rooms_event" in plan
    assert [each.is_unread for each in sidebar_reading.sidebar_rooms(reader)] == [True, True]


def test_scan_of_a_whole_table_would_be_noticed(reader: User) -> None:
    with statements() as asked:
        assert not Message.objects.filter(text__contains="nobody said this").exists()
    assert scanned(asked) == asked
