from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from messaging import events
from messaging.actions import delete_message, edit_message
from messaging.history import first_since, view_after, view_around, view_before, view_for
from messaging.models import Message, MessageRevision
from messaging.notices import NOTICES_MAX, Notice
from messaging.page_reading import NEWEST_FIRST, OLDEST_FIRST
from rooms import actions
from rooms.models import Event, Membership, Room
from tests.conftest import client_of, join, leave
from tests.factories import MessageFactory
from tests.plans import plan_of

ISOLATES = str.maketrans("", "", "\u2068\u2069")


def at_present(room: Room) -> Room:
    """Return the room with its log as it is now: a reader sees as much as there was when they were let in."""
    return Room.objects.get(pk=room.pk)


def shown(room: Room, **asked: int) -> list[str]:
    view = view_before(at_present(room), **asked)
    return [each.sentence.translate(ISOLATES) if isinstance(each, Notice) else each.text for each in view.rows]


def test_what_happens_in_a_room_is_told_between_its_messages(room: Room, owner: User) -> None:
    ana, ben = join(room, "ana"), join(room, "ben")
    MessageFactory.create(room=room, author=ana, text="hello")
    actions.change_role(Membership.objects.get(room=room, user=ana), role="moderator", actor=owner)
    leave(room, ben)
    actions.update_room(room, name="Kitchen", topic="Soup", actor=ana)
    actions.update_room(room, name="Galley", topic="Soup", actor=ana)
    actions.update_room(room, name="Kitchen", topic="", actor=ana)
    actions.add_member(room, member=ben, actor=owner)
    actions.archive_room(room, actor=owner)
    actions.restore_room(room, actor=owner)
    assert shown(room) == [
        "Olga Owner opened this room.",
        "Ana and Ben joined.",
        "hello",
        "Olga Owner made Ana a moderator.",
        "Ben left.",
        "Ana changed the topic.",
        "Ana changed the name of this room.",
        "Ana changed the name and the topic of this room.",
        "Olga Owner added Ben.",
        "Olga Owner archived this room.",
        "Olga Owner opened this room again.",
    ]


def test_many_that_come_are_one_line_until_somebody_speaks_or_an_hour_has_passed(room: Room, owner: User) -> None:
    for name in ("ana", "ben", "cleo", "dora"):
        join(room, name)
    assert shown(room)[1:] == ["Ana, Ben and 2 others joined."]
    Event.objects.filter(position__gte=4).update(created_at=timezone.now() + timedelta(hours=1))
    assert shown(room)[1:] == ["Ana and Ben joined.", "Cleo and Dora joined."]


def test_live_line_is_that_of_the_page(room: Room, owner: User) -> None:
    MessageFactory.create(room=room, author=owner)
    for name in ("ana", "ben", "cleo"):
        join(room, name)
    *_earlier, last = events.read_after(room.pk, 0, 100)
    line = view_before(at_present(room)).rows[-1]
    assert isinstance(line, Notice)
    assert last.row == events.notice_row(line)
    assert 'data-position="3" data-last="5"' in (last.row or "")


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
def test_paging_tells_everything_once_in_both_directions(room: Room, owner: User, limit: int) -> None:
    everything = list(range(1, 31))
    for number in range(10):
        MessageFactory.create(room=room, author=owner)
        ana = join(room, f"ana{number}")
        if number < 9:
            leave(room, ana)
    backwards: list[int] = []
    view = view_before(at_present(room), None, limit)
    backwards = positions(view.rows)
    while view.has_older:
        view = view_before(at_present(room), view.oldest_position, limit)
        backwards = positions(view.rows) + backwards
    view = view_after(at_present(room), 0, limit)
    forwards = positions(view.rows)
    while view.has_newer:
        view = view_after(at_present(room), view.newest_position, limit)
        forwards += positions(view.rows)
    assert backwards == forwards == everything


def positions(rows: list[Message | Notice]) -> list[int]:
    return [event.position for row in rows for event in (row.events if isinstance(row, Notice) else [row])]


def test_very_many_lines_are_paged_too(room: Room, owner: User) -> None:
    crowd = NOTICES_MAX + 20
    MessageFactory.create(room=room, author=owner)
    Event.objects.bulk_create(
        Event(room=room, position=3 + number, kind="membership_removed", actor=owner) for number in range(crowd)
    )
    Room.objects.filter(pk=room.pk).update(last_position=2 + crowd)
    last = view_before(at_present(room))
    assert (last.has_older, len(positions(last.rows))) == (True, NOTICES_MAX)
    first = view_before(at_present(room), last.oldest_position)
    assert (first.has_older, positions(first.rows)) == (False, list(range(1, 23)))
    after = view_after(at_present(room), 2)
    assert (after.has_newer, positions(after.rows)) == (True, list(range(3, 3 + NOTICES_MAX)))


def test_view_around_has_both_sides(room: Room, owner: User) -> None:
    talk = MessageFactory.create_batch(9, room=room, author=owner)
    view = view_around(at_present(room), talk[4].position, 4)
    assert positions(view.rows) == [message.position for message in talk[2:6]]
    assert (view.has_older, view.has_newer, view.at) == (True, True, talk[4].position)
    assert view_around(at_present(room), 10**9, 4).has_newer is False


def test_room_opens_where_the_unread_begins(room: Room, owner: User) -> None:
    member = join(room, "member")
    talk = MessageFactory.create_batch(130, room=room, author=owner)
    mine = Membership.objects.select_related("room").get(room=room, user=member)
    room.refresh_from_db()
    assert view_for(at_present(room), mine).at == talk[0].position
    actions.mark_read(Membership.objects.select_related("room").get(pk=mine.pk), position=talk[100].position)
    mine.refresh_from_db()
    view = view_for(at_present(room), mine)
    assert (view.at, view.has_newer) == (0, False)
    assert view_for(at_present(room), None).newest_position == talk[-1].position


def test_first_message_of_a_time_is_found_by_halving(room: Room, owner: User) -> None:
    began = timezone.now() - timedelta(days=9)
    talk = MessageFactory.create_batch(9, room=room, author=owner)
    edit_message(talk[0], text="edited", actor=owner)
    for number, message in enumerate(talk):
        Message.objects.filter(pk=message.pk).update(created_at=began + timedelta(days=number))
    room.refresh_from_db()
    for number, message in enumerate(talk):
        assert first_since(at_present(room), began + timedelta(days=number)) == message.position
        assert first_since(at_present(room), began + timedelta(days=number, seconds=-1)) == message.position
    assert first_since(at_present(room), began + timedelta(days=8, seconds=1)) is None


def test_pages_of_a_long_log_are_found_by_indexes(room: Room, owner: User) -> None:
    count = 5_000
    Event.objects.bulk_create(
        Event(room=room, position=10 + number, kind="membership_added" if number % 50 == 0 else "membership_removed")
        for number in range(200)
    )
    made = Message.objects.bulk_create(
        Message(room=room, author=owner, position=1_000 + place, text="x", html="x", client_id=f"{place:032x}")
        for place in range(count)
    )
    Event.objects.bulk_create(
        Event(room=room, position=message.position, kind="message_created", message=message) for message in made
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE messaging_message, rooms_event")
    for direction in (OLDEST_FIRST, NEWEST_FIRST):
        plan = plan_of(direction.events, [room.pk, 2_000, 2_050, NOTICES_MAX + 1])
        assert "event_of_no_message" in plan
        assert "Seq Scan on rooms_event" not in plan


def test_edits_are_kept_and_go_with_the_message(room: Room, owner: User) -> None:
    message = MessageFactory.create(room=room, author=owner, text="one")
    for text in ("two", "two", "three"):
        edit_message(message, text=text, actor=owner)
    path = f"/rooms/{room.slug}/messages/{message.pk}/revisions/"
    found = client_of(owner).get(path, headers={"Accept": "application/json"}).json()["revisions"]
    assert [(each["text"], each["html"]) for each in found] == [("one", "<p>one</p>"), ("two", "<p>two</p>")]
    delete_message(message, actor=owner)
    answer = client_of(owner).get(path, headers={"Accept": "application/json"}).json()
    assert answer == {"revisions": [], "has_more": False}
    assert not MessageRevision.objects.exists()


def test_unread_goes_back_only_by_ones_own_act(room: Room, owner: User) -> None:
    member = join(room, "member")
    talk = MessageFactory.create_batch(3, room=room, author=owner)
    client = client_of(member)

    def after(path: str, position: int) -> int:
        assert client.post(f"/rooms/{room.slug}/{path}/", {"position": position}).status_code == 204
        return Membership.objects.get(room=room, user=member).last_read_position

    last = talk[2].position
    assert after("read", last) == last
    assert after("read", talk[0].position) == last
    assert after("unread", talk[1].position) == talk[0].position
    assert after("unread", last) == talk[0].position
    assert after("read", last) == last
