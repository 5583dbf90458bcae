from __future__ import annotations

import pytest
from django.db import connection

from accounts.models import User
from messaging.history import page_after, page_before, view_around
from messaging.models import Message
from messaging.page_reading import NEWEST_FIRST, OLDEST_FIRST
from rooms import actions
from rooms.models import Room
from tests.factories import MessageFactory
from tests.plans import plan_of


@pytest.fixture
def talk(room: Room, owner: User) -> Room:
    """Messages at 2, 3, 5, 6 and 7: other events are numbered with them."""
    MessageFactory.create_batch(2, room=room, author=owner)
    actions.update_room(room, name="Galley", topic="", actor=owner)
    MessageFactory.create_batch(3, room=room, author=owner)
    room.refresh_from_db()
    return room


def positions(messages: list[Message]) -> list[int]:
    return [message.position for message in messages]


@pytest.mark.parametrize(
    ("before", "limit", "expected", "has_more"),
    [
        (None, 2, [6, 7], True),
        (None, 5, [2, 3, 5, 6, 7], False),
        (None, 4, [3, 5, 6, 7], True),
        (6, 2, [3, 5], True),
        (5, 2, [2, 3], False),
        (4, 1, [3], True),
        (2, 9, [], False),
        (0, 9, [], False),
        (2**63 - 1, 1, [7], True),
    ],
)
def test_page_before(talk: Room, before: int | None, limit: int, expected: list[int], has_more: bool) -> None:
    page = page_before(talk, before, limit)
    assert (positions(page.messages), page.has_more) == (expected, has_more)
    assert page.oldest_position == (expected[0] if expected else 0)


@pytest.mark.parametrize(
    ("after", "limit", "expected", "has_more"),
    [
        (0, 2, [2, 3], True),
        (3, 2, [5, 6], True),
        (3, 3, [5, 6, 7], False),
        (6, 1, [7], False),
        (7, 9, [], False),
        (2**63 - 1, 9, [], False),
    ],
)
def test_page_after(talk: Room, after: int, limit: int, expected: list[int], has_more: bool) -> None:
    page = page_after(talk, after, limit)
    assert (positions(page.messages), page.has_more) == (expected, has_more)


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
def test_paging_meets_every_message_once(talk: Room, limit: int) -> None:
    backwards: list[int] = []
    page = page_before(talk, None, limit)
    backwards = positions(page.messages)
    while page.has_more:
        page = page_before(talk, page.oldest_position, limit)
        backwards = positions(page.messages) + backwards
    forwards: list[int] = []
    page = page_after(talk, 0, limit)
    forwards = positions(page.messages)
    while page.has_more:
        page = page_after(talk, forwards[-1], limit)
        forwards += positions(page.messages)
    assert backwards == forwards == [2, 3, 5, 6, 7]


def test_history_is_of_one_room_only(talk: Room, private_room: Room, owner: User) -> None:
    secret = MessageFactory.create(room=private_room, author=owner)
    private_room.refresh_from_db()
    assert secret not in page_before(talk).messages
    assert page_before(private_room).messages == [secret]


def test_history_of_a_silent_room_is_empty(room: Room) -> None:
    page = page_before(room)
    assert (page.messages, page.has_more, page.oldest_position) == ([], False, 0)


def test_deep_page_is_found_by_the_index(room: Room, owner: User) -> None:
    first = MessageFactory.create(room=room, author=owner)
    Message.objects.bulk_create(
        Message(room=room, author=owner, position=3 + place, text="x", html="x", client_id=f"{place:032x}")
        for place in range(3_000)
    )
    Room.objects.filter(pk=room.pk).update(last_position=3_002)
    room.refresh_from_db()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE messaging_message")
    for direction in (OLDEST_FIRST, NEWEST_FIRST):
        plan = plan_of(direction.messages, [room.pk, 0, 50, 51])
        assert "message_room_position_unique" in plan
        assert "Seq Scan on messaging_message" not in plan
    assert page_before(room, 50).messages[0] == first


@pytest.mark.parametrize("limit", [1, 2, 3, 9])
def test_rows_around_a_position_leave_nothing_out_between_them(talk: Room, limit: int) -> None:
    """Whoever goes on from the first row would never be shown what was left out behind it."""
    view = view_around(talk, 6, limit)
    shown = [row.position for row in view.rows]
    assert 6 in shown
    assert shown == list(range(shown[0], shown[-1] + 1))
    assert (view.has_older, view.has_newer) == (shown[0] > 1, shown[-1] < talk.last_position)
