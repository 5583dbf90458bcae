from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from accounts.models import User
from rooms import admin_forms, log
from rooms.actions import change_role
from rooms.models import Event, Membership, Room
from tests.cast import Ear
from tests.conftest import client_of, join, leave
from tests.factories import MembershipFactory, RoomFactory, UserFactory
from tests.rooms.admin_pages import (
    MEMBERSHIPS,
    PEOPLE,
    PERSON_FIELD,
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
    with_role,
    without,
)

Role = Membership.Role
Kind = Event.Kind


@pytest.fixture
def browser(site_owner: User) -> Client:
    return client_of(site_owner)


def test_members_are_added_changed_and_removed_in_one_save(
    browser: Client, room: Room, owner: User, outsider: User
) -> None:
    ana, bo = join(room, "ana"), join(room, "bo")
    data = form_of(room)
    data = with_new(data, room, outsider, Role.MODERATOR)
    data = with_role(data, room.memberships.get(user=ana), Role.OWNER)
    data = without(without(data, room.memberships.get(user=bo)), room.memberships.get(user=owner))
    before = position_of(room)

    response = browser.post(page_of(room), data)

    assert response.status_code == 302
    assert roles_in(room) == {"ana": Role.OWNER, "outsider": Role.MODERATOR}
    assert log_of(room, before)[:2] == [(Kind.MEMBERSHIP_ADDED, outsider), (Kind.MEMBERSHIP_CHANGED, ana)]
    assert set(log_of(room, before)[2:]) == {(Kind.MEMBERSHIP_REMOVED, bo), (Kind.MEMBERSHIP_REMOVED, owner)}
    assert len(log_of(room, before)) == 4
    [entry] = history()
    for words in ("Added membership “Otto Outsider (Moderator)”", "Changed Role for membership “Ana (Owner)”"):
        assert words in entry
    assert entry.count("Deleted membership") == 2


def test_an_owner_steps_down_in_the_save_that_makes_another(browser: Client, room: Room, owner: User) -> None:
    zoe = join(room, "zoe")
    data = with_role(form_of(room), room.memberships.get(user=owner), Role.MEMBER)

    browser.post(page_of(room), with_role(data, room.memberships.get(user=zoe), Role.OWNER))

    assert roles_in(room) == {"owner": Role.MEMBER, "zoe": Role.OWNER}


@pytest.mark.parametrize("step", ["removed", "demoted"])
def test_the_last_owner_stays(browser: Client, room: Room, owner: User, step: str) -> None:
    ana = join(room, "ana")
    membership = room.memberships.get(user=owner)
    data = form_of(room, name="Larder")
    data = without(data, membership) if step == "removed" else with_role(data, membership, Role.MEMBER)
    before = state()

    refused = browser.post(page_of(room), data)

    assert errors_of(refused) == ["A room needs an owner. Make somebody else an owner first."]
    assert state() == before
    assert browser.post(page_of(room), with_role(data, room.memberships.get(user=ana), Role.OWNER)).status_code == 302
    assert roles_in(room)["ana"] == Role.OWNER


def test_a_room_that_lost_its_owners_is_still_run(browser: Client, room: Room, owner: User) -> None:
    ana = join(room, "ana")
    owner.delete()

    browser.post(page_of(room), form_of(Room.objects.get(pk=room.pk), name="Larder"))
    assert Room.objects.get(pk=room.pk).name == "Larder"

    room.refresh_from_db()
    browser.post(page_of(room), with_role(form_of(room), room.memberships.get(user=ana), Role.OWNER))
    assert roles_in(room) == {"ana": Role.OWNER}


def test_a_role_given_meanwhile_is_not_taken_back(browser: Client, room: Room, owner: User) -> None:
    ana = join(room, "ana")
    opened = form_of(room)
    change_role(room.memberships.get(user=ana), role=Role.MODERATOR, actor=owner)

    browser.post(page_of(room), opened | {"topic": "Jam"})

    assert roles_in(room)["ana"] == Role.MODERATOR
    assert Room.objects.get(pk=room.pk).topic == "Jam"


def test_somebody_who_left_meanwhile_is_asked_about_again(browser: Client, room: Room) -> None:
    ana = join(room, "ana")
    opened = with_role(form_of(room, name="Larder"), room.memberships.get(user=ana), Role.OWNER)
    leave(room, ana)
    before = state()

    refused = browser.post(page_of(room), opened)

    assert "The members have changed meanwhile. Load this page again." in errors_of(refused)
    assert state() == before


@pytest.mark.django_db(transaction=True)
def test_an_owner_who_leaves_during_a_save_refuses_all_of_it(browser: Client, room: Room, owner: User) -> None:
    """The form was right when it was checked, and the action is not done: the other owner's leaving came first."""
    zoe = join(room, "zoe", Role.OWNER)
    data = with_role(form_of(room, name="Larder"), room.memberships.get(user=owner), Role.MEMBER)
    page = page_of(room)

    def save() -> list[str]:
        try:
            return notices_of(browser.post(page, data, follow=True))
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            log.lock(room)
            saved = pool.submit(save)
            wait_until_somebody_waits_for_a_lock()
            leave(room, zoe)
        notices = saved.result(timeout=10)

    assert notices == ["A room needs an owner. Make somebody else an owner first."]
    assert (Room.objects.get(pk=room.pk).name, roles_in(room), history()) == ("Kitchen", {"owner": Role.OWNER}, [])


# In this database: other tests have theirs in the same server.
WAITS = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"


def wait_until_somebody_waits_for_a_lock() -> None:
    deadline = time.monotonic() + 10
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute(WAITS)
            if cursor.fetchone() == (True,):
                return
    raise AssertionError("nobody waits")


@pytest.mark.django_db(transaction=True)
def test_open_pages_hear_of_a_change_in_the_admin(browser: Client, room: Room, outsider: User) -> None:
    before = position_of(room)
    with Ear(room.channel_name) as ear:
        browser.post(page_of(room), with_new(form_of(room, name="Larder"), room, outsider))
        browser.post(ROOMS, {"action": "archive", "_selected_action": [room.pk]})

        assert ear.heard() == [str(before + step) for step in (1, 2, 3)]


@pytest.mark.parametrize("who", ["closed", "member", "nobody", "twice"])
def test_who_can_t_be_added_is_not(browser: Client, room: Room, owner: User, who: str) -> None:
    closed, person = UserFactory.create(is_active=False), UserFactory.create()
    absent = User(pk=999_999)
    added = {"closed": [closed], "member": [owner], "nobody": [absent], "twice": [person, person]}[who]
    data = form_of(room, name="Larder")
    for somebody in added:
        data = with_new(data, room, somebody)
    before = state()

    assert errors_of(browser.post(page_of(room), data))

    assert state() == before
    assert browser.post(page_of(room), with_new(form_of(room), room, person)).status_code == 302
    assert person.username in roles_in(room)


def test_a_page_of_a_large_room_is_cut_short_and_saves(
    browser: Client, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin_forms, "MEMBERS_SHOWN", 2)
    for name in ("ana", "bo", "zoe"):
        join(room, name)

    formset = browser.get(page_of(room)).context["inline_admin_formsets"][0].formset
    data = form_of(room) | {"memberships-TOTAL_FORMS": 2, "memberships-INITIAL_FORMS": 2}
    browser.post(page_of(room), with_role(data, room.memberships.get(user__username="ana"), Role.OWNER))

    assert [form.instance.user.username for form in formset.forms] == ["owner", "ana"]
    assert roles_in(room) == {"owner": Role.OWNER, "ana": Role.OWNER, "bo": Role.MEMBER, "zoe": Role.MEMBER}


@pytest.mark.parametrize("count", [1, 3])
def test_a_rooms_page_asks_the_same_number_of_queries_for_any_number_of_members(
    browser: Client, room: Room, count: int, django_assert_num_queries: Any
) -> None:
    for number in range(count):
        join(room, f"member{number}")

    with django_assert_num_queries(4):
        html = browser.get(page_of(room)).content.decode()

    assert all(f"@member{number}" in html for number in range(count))


def test_people_are_offered_as_they_are_typed(browser: Client, outsider: User) -> None:
    answer = browser.get(PEOPLE, PERSON_FIELD | {"term": "otto"}).json()

    assert answer["results"] == [{"id": str(outsider.pk), "text": "Otto Outsider"}]


def test_a_member_is_found_promoted_and_removed_there(browser: Client, room: Room) -> None:
    ana = join(room, "ana")
    membership = room.memberships.get(user=ana)
    before = position_of(room)

    assert list(browser.get(MEMBERSHIPS, {"q": "ana"}).context["cl"].result_list) == [membership]
    browser.post(f"{MEMBERSHIPS}{membership.pk}/change/", {"role": Role.MODERATOR})
    assert roles_in(room)["ana"] == Role.MODERATOR
    browser.post(f"{MEMBERSHIPS}{membership.pk}/delete/", {"post": "yes"})

    assert "ana" not in roles_in(room)
    assert log_of(room, before) == [(Kind.MEMBERSHIP_CHANGED, ana), (Kind.MEMBERSHIP_REMOVED, ana)]
    assert history() == ["Changed Role.", ""]


@pytest.mark.parametrize("step", ["change", "delete"])
def test_the_last_owner_stays_there_too(browser: Client, room: Room, owner: User, step: str) -> None:
    path = f"{MEMBERSHIPS}{room.memberships.get(user=owner).pk}/{step}/"
    data = {"role": Role.MEMBER} if step == "change" else {"post": "yes"}
    before = state()

    answer = browser.post(path, data, follow=True)

    assert notices_of(answer) == ["A room needs an owner. Make somebody else an owner first."]
    assert state() == before
    MembershipFactory.create(room=room, role=Role.OWNER)
    browser.post(path, data)
    assert roles_in(room).get("owner") == (Role.MEMBER if step == "change" else None)


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_of_memberships_takes_few_queries(browser: Client, count: int, django_assert_num_queries: Any) -> None:
    RoomFactory.create_batch(count)

    with django_assert_num_queries(4):
        assert len(browser.get(MEMBERSHIPS).context["cl"].result_list) == count
