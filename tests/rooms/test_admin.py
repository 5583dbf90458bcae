from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from accounts.models import User
from rooms.actions import archive_room
from rooms.models import Event, Membership, Room
from tests.conftest import client_of, join
from tests.factories import MessageFactory, RoomFactory, UserFactory
from tests.rooms.admin_pages import (
    ADD,
    MEMBERSHIPS,
    ROOMS,
    errors_of,
    form_of,
    history,
    log_of,
    notices_of,
    page_of,
    position_of,
    roles_in,
    state,
    with_new,
)

HOSTILE = "<img src=x onerror=alert(1)>\"'&amp;{{ 7 }}"

Role = Membership.Role
Kind = Event.Kind


@pytest.fixture
def browser(site_owner: User) -> Client:
    return client_of(site_owner)


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_shows_each_room_in_few_queries(browser: Client, count: int, django_assert_num_queries: Any) -> None:
    for number in range(count):
        room = RoomFactory.create(name=f"Room {number}", kind=("public", "private")[number % 2])
        MessageFactory.create_batch(number + 2, room=room)

    with django_assert_num_queries(4):
        shown = browser.get(ROOMS).context["cl"].result_list

    last = dict(Event.objects.order_by("position").values_list("room", "created_at"))
    assert [(room.name, room.member_count, room.message_count, room.last_activity) for room in shown] == [
        (f"Room {room_number}", room_number + 3, room_number + 2, last[shown[room_number].pk])
        for room_number in range(count)
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=kitch", ["Kitchen"]),
        ("q=soup", ["Kitchen"]),
        ("q=vault", ["Vault"]),
        ("kind__exact=private", ["Vault"]),
        ("archived=yes", ["Attic"]),
        ("archived=no", ["Kitchen", "Vault"]),
        ("archived=perhaps", ["Attic", "Kitchen", "Vault"]),
        ("o=5", ["Kitchen", "Attic", "Vault"]),
    ],
)
def test_rooms_are_searched_filtered_and_sorted(browser: Client, query: str, found: list[str]) -> None:
    RoomFactory.create(name="Vault", kind=Room.Kind.PRIVATE)
    RoomFactory.create(name="Attic", archived=True)
    RoomFactory.create(name="Kitchen", topic="Soup")

    assert [room.name for room in browser.get(f"{ROOMS}?{query}").context["cl"].result_list] == found


@pytest.mark.parametrize(
    "query",
    ["messages__text__contains=a", "memberships__user__password__startswith=a", "p=x", "o=9.x"],
)
@pytest.mark.parametrize("path", [ROOMS, MEMBERSHIPS])
def test_odd_questions_to_the_lists_are_no_error(browser: Client, room: Room, path: str, query: str) -> None:
    assert browser.get(f"{path}?{query}").status_code in (200, 302, 400)


def test_names_and_topics_are_shown_as_text(browser: Client, room: Room) -> None:
    Room.objects.filter(pk=room.pk).update(name=HOSTILE, topic=HOSTILE)
    person = join(room, "mallory")
    User.objects.filter(pk=person.pk).update(name=HOSTILE[:40])
    membership = room.memberships.get(user=person)
    browser.post(page_of(room), form_of(Room.objects.get(pk=room.pk), archived="on"))
    paths = [ROOMS, page_of(room), f"{ROOMS}{room.pk}/history/", MEMBERSHIPS, f"{MEMBERSHIPS}{membership.pk}/change/"]

    for path in (*paths, f"{MEMBERSHIPS}{membership.pk}/delete/", reverse("admin:index")):
        html = browser.get(path).content.decode()
        assert "&lt;img src=x" in html, path
        assert "<img src=x" not in html, path


def test_a_room_is_created_by_the_same_action_as_on_the_site(browser: Client, site_owner: User) -> None:
    response = browser.post(ADD, {"name": "  The   Shed ", "topic": "Tools", "kind": "private"})

    room = Room.objects.get()
    assert response["Location"] == page_of(room)
    assert (room.name, room.topic, room.kind) == ("The Shed", "Tools", Room.Kind.PRIVATE)
    assert room.slug
    assert log_of(room) == [(Kind.MEMBERSHIP_ADDED, site_owner)]
    assert roles_in(room) == {"olga": Role.OWNER}
    assert (history(), LogEntry.objects.get().object_id) == (["Added."], str(room.pk))


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"name": "x" * 61},
        {"name": "a\u202eb"},
        {"name": "a\x00b"},
        {"kind": "secret"},
        {"topic": "x" * 251},
    ],
)
def test_the_rules_for_rooms_hold_in_the_admin(browser: Client, fields: dict[str, str]) -> None:
    response = browser.post(ADD, {"name": "Shed", "topic": "", "kind": "public"} | fields)

    assert errors_of(response)
    assert not Room.objects.exists()


def test_nobody_chooses_an_address_or_a_channel(browser: Client) -> None:
    forged = {
        "slug": "mine",
        "channel_name": "room_mine_000000000000",
        "last_position": 7,
        "archived_at_0": "2020-01-01",
    }

    browser.post(ADD, {"name": "Shed", "topic": "", "kind": "public"} | forged)

    room = Room.objects.get()
    assert (room.slug, room.last_position, room.archived_at) == ("shed", 1, None)
    assert room.channel_name != forged["channel_name"]


def test_renaming_and_a_topic_are_one_event_and_one_entry(browser: Client, site_owner: User, room: Room) -> None:
    before = position_of(room)

    browser.post(page_of(room), form_of(room, name="Larder", topic="Jam", slug="forged"))

    changed = Room.objects.get(pk=room.pk)
    assert (changed.name, changed.topic, changed.kind, changed.slug) == ("Larder", "Jam", room.kind, room.slug)
    assert log_of(room, before) == [(Kind.ROOM_CHANGED, None)]
    assert room.events.last().actor == site_owner  # type: ignore[union-attr]  # there is one
    assert history() == ["Changed Name and Topic."]


def test_saving_what_is_there_changes_nothing(browser: Client, room: Room) -> None:
    before = position_of(room)

    assert browser.post(page_of(room), form_of(room)).status_code == 302

    assert log_of(room, before) == []


def test_a_room_is_archived_and_restored_on_its_page(browser: Client, room: Room) -> None:
    before = position_of(room)

    browser.post(page_of(room), form_of(room, archived="on"))
    archived = Room.objects.get(pk=room.pk)
    assert archived.is_archived
    restore = form_of(archived)
    del restore["archived"]
    browser.post(page_of(room), restore)

    assert not Room.objects.get(pk=room.pk).is_archived
    assert log_of(room, before) == [(Kind.ROOM_CHANGED, None)] * 2
    assert history() == ["Changed Archived."] * 2


def test_selected_rooms_are_archived_and_restored_and_only_those_that_change_are_noted(
    browser: Client, site_owner: User
) -> None:
    rooms = [RoomFactory.create(), RoomFactory.create(archived=True), RoomFactory.create(kind=Room.Kind.PRIVATE)]
    other = RoomFactory.create()
    positions = {room.pk: position_of(room) for room in rooms}
    chosen = {"_selected_action": [room.pk for room in rooms]}

    answer = browser.post(ROOMS, {"action": "archive", **chosen}, follow=True)

    assert notices_of(answer) == ["2 rooms were archived."]
    assert set(Room.objects.exclude(archived_at=None)) == set(rooms)
    assert [len(log_of(room, positions[room.pk])) for room in rooms] == [1, 0, 1]
    assert history() == ["Archived."] * 2
    browser.post(ROOMS, {"action": "restore", **chosen})
    assert not Room.objects.exclude(archived_at=None).exists()
    assert history() == ["Archived."] * 2 + ["Restored."] * 3
    assert set(LogEntry.objects.values_list("user", flat=True)) == {site_owner.pk}
    assert not LogEntry.objects.filter(object_id=str(other.pk)).exists()


def test_an_archived_room_is_not_renamed_or_joined(browser: Client, room: Room, outsider: User) -> None:
    data = form_of(archive_room(room, actor=UserFactory.create()))
    before = state()

    renamed = browser.post(page_of(room), data | {"name": "Larder"})
    added = browser.post(page_of(room), with_new(dict(data), room, outsider))

    assert errors_of(renamed) == ["Restore this room first, then change it."]
    assert errors_of(added) == ["Restore this room first, then add people to it."]
    assert state() == before
