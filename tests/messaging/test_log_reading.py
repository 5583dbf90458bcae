from __future__ import annotations

import pytest
from django.db import connection

from accounts.models import User
from messaging import events
from messaging.log_reading import _READ, READ_MAX, events_after
from rooms.models import Event, Room
from tests.conftest import join
from tests.factories import MessageFactory
from tests.plans import plan_of

pytestmark = pytest.mark.django_db


def test_log_is_read_by_the_indexes_whatever_the_position(room: Room, owner: User) -> None:
    message = MessageFactory.create(room=room, author=owner)
    Event.objects.bulk_create(
        Event(room=room, position=1_000 + place, kind=Event.Kind.MESSAGE_EDITED, message=message, actor=owner)
        for place in range(3_000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE rooms_event")
    plan = plan_of(_READ, [room.pk, 50, 100])
    assert "event_room_position_unique" in plan
    assert "Seq Scan on rooms_event" not in plan
    assert len(events_after(room.pk, 999, 2 * READ_MAX)) == READ_MAX
    assert [event.position for event, *_ in events_after(room.pk, 1_005, 2)] == [1_006, 1_007]


def test_programs_get_the_same_without_the_html(room: Room, owner: User) -> None:
    MessageFactory.create(room=room, author=owner, text="**hi**")
    join(room, "somebody")
    for_pages, for_programs = (events.read_after(room.pk, 0, 100, rows=rows) for rows in (True, False))
    assert [entry.frame("json") for entry in for_programs] == [entry.frame("json") for entry in for_pages]
    assert all(entry.row for entry in for_pages)
    assert not any(entry.row for entry in for_programs)
