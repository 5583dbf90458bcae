from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import User
from rooms import admin_forms, log
from rooms.actions import archive_room, change_role
from rooms.models import Event, Membership, Room
from tests.cast import Ear
from tests.conftest import client_of, join, leave
from tests.factories import MembershipFactory, MessageFactory, RoomFactory, UserFactory

ROOMS = reverse("admin:rooms_room_changelist")
ADD = reverse("admin:rooms_room_add")
MEMBERSHIPS = reverse("admin:rooms_membership_changelist")
PEOPLE = reverse("admin:autocomplete")
HOSTILE = "<img src=x onerror=alert(1)>\"'&amp;{{ 7 }}"
PERSON_FIELD = {"app_label": "rooms", "model_name": "membership", "field_name": "user"}

Role = Membership.Role
Kind = Event.Kind


@pytest.fixture
def site_owner(db: None) -> User:
    return UserFactory.create(username="olga", name="Olga", is_staff=True, is_superuser=True)


@pytest.fixture
def browser(site_owner: User) -> Client:
    return client_of(site_owner)


def staff(*permissions: str) -> User:
    person = UserFactory.create(is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return person


def page_of(room: Room) -> str:
    return reverse("admin:rooms_room_change", args=[room.pk])


def form_of(room: Room, **changes: str) -> dict[str, Any]:
    """Return what a browser would send from the room's page if nothing was changed there, and then the changes."""
    members = list(room.memberships.in_order())
    data: dict[str, Any] = {"name": room.name, "topic": room.topic}
    if room.is_archived:
        data["archived"] = "on"
    data |= {"memberships-TOTAL_FORMS": len(members), "memberships-INITIAL_FORMS": len(members)}
    for number, membership in enumerate(members):
        row = {"id": membership.pk, "room": room.pk, "role": membership.role}
        data |= {f"memberships-{number}-{field}": value for field, value in row.items()}
        data[f"initial-memberships-{number}-role"] = membership.role
    return data | changes


def with_new(data: dict[str, Any], room: Room, person: User, role: str = Role.MEMBER) -> dict[str, Any]:
    number = data["memberships-TOTAL_FORMS"]
    row = {"room": room.pk, "user": person.pk, "role": role}
    data |= {f"memberships-{number}-{field}": value for field, value in row.items()}
    data[f"initial-memberships-{number}-role"] = Role.MEMBER
    return data | {"memberships-TOTAL_FORMS": number + 1}


def with_role(data: dict[str, Any], membership: Membership, role: str) -> dict[str, Any]:
    return data | {f"memberships-{_row(data, membership)}-role": role}


def without(data: dict[str, Any], membership: Membership) -> dict[str, Any]:
    return data | {f"memberships-{_row(data, membership)}-DELETE": "on"}


def _row(data: dict[str, Any], membership: Membership) -> int:
    rows = range(data["memberships-INITIAL_FORMS"])
    return next(number for number in rows if data[f"memberships-{number}-id"] == membership.pk)


def errors_of(response: Any) -> list[str]:
    """Return the sentences on the page: of the form, of the rows, and of the rows together."""
    found = response.context["errors"]
    return [str(error) for errors in found for error in ([errors] if isinstance(errors, str) else errors)]


def notices_of(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def log_of(room: Room, after: int = 0) -> list[tuple[str, User | None]]:
    events = room.events.filter(position__gt=after).select_related("member")
    return [(event.kind, event.member) for event in events]


def position_of(room: Room) -> int:
    return Room.objects.get(pk=room.pk).last_position


def history() -> list[str]:
    return [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]


def roles_in(room: Room) -> dict[str, str]:
    return dict(room.memberships.values_list("user__username", "role"))


def state() -> list[Any]:
    """All that a refused request leaves as it was: the rows, the history and what is to be published."""
    rows = [list(model.objects.order_by("pk").values()) for model in (Room, Membership, Event, LogEntry)]
    return [*rows, len(connection.run_on_commit)]


# The list


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


# Creating, changing, archiving


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

    browser.post(page_of(room), form_of(room, name="Larder", topic="Jam", kind="private", slug="forged"))

    changed = Room.objects.get(pk=room.pk)
    assert (changed.name, changed.topic, changed.kind, changed.slug) == ("Larder", "Jam", room.kind, room.slug)
    assert log_of(room, before) == [(Kind.ROOM_CHANGED, None)]
    assert room.events.last().actor == site_owner  # type: ignore[union-attr]
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


# Members


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


def wait_until_somebody_waits_for_a_lock() -> None:
    deadline = time.monotonic() + 10
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
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


# The page of memberships


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


# Who may, and what is refused


def paths_for(room: Room) -> list[str]:
    membership = room.memberships.first()
    assert membership
    return [
        ROOMS,
        ADD,
        page_of(room),
        f"{ROOMS}{room.pk}/history/",
        MEMBERSHIPS,
        f"{MEMBERSHIPS}{membership.pk}/change/",
    ]


def test_a_signed_out_person_is_sent_to_sign_in(room: Room) -> None:
    for path in paths_for(room):
        response = Client().get(path, follow=True)
        assert response.redirect_chain[-1][0].startswith(reverse("account_login"))
        assert "Kitchen" not in response.content.decode()


def test_an_owner_of_a_room_without_staff_rights_is_no_admin(room: Room, owner: User) -> None:
    before = state()

    for path in paths_for(room):
        for answer in (
            client_of(owner).get(path, follow=True),
            client_of(owner).post(path, form_of(room), follow=True),
        ):
            assert answer.status_code == 403

    assert state() == before


@pytest.mark.parametrize("permissions", [(), ("view_user", "change_user"), ("change_membership", "delete_membership")])
def test_staff_without_the_permission_for_rooms_see_and_do_nothing(room: Room, permissions: tuple[str, ...]) -> None:
    browser = client_of(staff(*permissions))
    membership = room.memberships.get()
    before = state()

    for path in (*paths_for(room), f"{MEMBERSHIPS}{membership.pk}/delete/"):
        assert browser.get(path).status_code == 403
        assert browser.post(path, form_of(room, name="Larder") | {"role": "member", "post": "yes"}).status_code == 403
    assert browser.post(ROOMS, {"action": "archive", "_selected_action": [room.pk]}).status_code == 403

    assert state() == before


def test_staff_who_may_look_change_nothing(room: Room, owner: User, outsider: User) -> None:
    browser = client_of(staff("view_room"))
    membership = room.memberships.get(user=owner)
    before = state()

    for path in (ROOMS, page_of(room), MEMBERSHIPS, f"{MEMBERSHIPS}{membership.pk}/change/"):
        assert "Kitchen" in browser.get(path).content.decode()
    assert browser.post(page_of(room), with_new(form_of(room), room, outsider)).status_code == 403
    assert browser.post(ADD, {"name": "Shed", "kind": "public"}).status_code == 403
    assert browser.post(f"{MEMBERSHIPS}{membership.pk}/change/", {"role": "member"}).status_code == 403
    assert browser.post(f"{MEMBERSHIPS}{membership.pk}/delete/", {"post": "yes"}).status_code == 403
    browser.post(ROOMS, {"action": "archive", "_selected_action": [room.pk]})

    assert state() == before


def test_staff_with_the_permission_run_rooms(room: Room, outsider: User) -> None:
    keeper = staff("view_room", "add_room", "change_room")
    browser = client_of(keeper)

    browser.post(page_of(room), with_new(form_of(room, topic="Jam"), room, outsider))
    browser.post(ROOMS, {"action": "archive", "_selected_action": [room.pk]})
    browser.post(ADD, {"name": "Shed", "topic": "", "kind": "public"})

    room.refresh_from_db()
    assert (room.topic, room.is_archived, roles_in(room)["outsider"]) == ("Jam", True, Role.MEMBER)
    assert roles_in(Room.objects.get(name="Shed")) == {keeper.username: Role.OWNER}
    # Who is on the site is another permission's to tell.
    assert browser.get(PEOPLE, PERSON_FIELD | {"term": "otto"}).status_code == 403


def test_nobody_deletes_rooms(browser: Client, room: Room) -> None:
    assert browser.post(f"{ROOMS}{room.pk}/delete/", {"post": "yes"}).status_code == 403
    browser.post(ROOMS, {"action": "delete_selected", "_selected_action": [room.pk], "post": "yes"})

    assert Room.objects.filter(pk=room.pk).exists()


@pytest.mark.parametrize("action", ["delete_selected", "save_model", "__class__", "get_queryset", ""])
def test_an_action_that_is_not_offered_does_nothing(browser: Client, room: Room, action: str) -> None:
    before = state()

    assert browser.post(ROOMS, {"action": action, "_selected_action": [room.pk]}).status_code in (200, 302)
    assert state() == before

    browser.post(ROOMS, {"action": "archive", "_selected_action": [room.pk]})
    assert state() != before


def test_rows_can_t_be_edited_in_the_list(browser: Client, room: Room) -> None:
    before = state()
    rows = {
        "form-TOTAL_FORMS": 1,
        "form-INITIAL_FORMS": 1,
        "form-0-id": room.pk,
        "form-0-name": "Larder",
        "_save": "Save",
    }

    browser.post(ROOMS, rows)

    assert state() == before


@pytest.mark.parametrize("step", ["role", "DELETE"])
def test_a_row_of_another_room_is_refused(browser: Client, room: Room, private_room: Room, step: str) -> None:
    """With the key of somebody else's membership, in a row of this room."""
    ana, vera = join(room, "ana"), join(private_room, "vera")
    mine, theirs = room.memberships.get(user=ana), private_room.memberships.get(user=vera)
    honest = form_of(room, name="Larder")
    honest = with_role(honest, mine, Role.OWNER) if step == "role" else without(honest, mine)
    row = _row(honest, mine)
    before = state()

    for forged in (
        {f"memberships-{row}-id": theirs.pk},
        {f"memberships-{row}-id": theirs.pk, f"memberships-{row}-room": private_room.pk},
        {f"memberships-{row}-id": theirs.pk, f"memberships-{row}-user": vera.pk},
        {f"memberships-{row}-id": "x"},
        {f"memberships-{row}-id": "9" * 30},
    ):
        assert errors_of(browser.post(page_of(room), honest | forged))

    assert state() == before
    assert browser.post(page_of(room), honest).status_code == 302
    assert state() != before


def test_the_person_of_a_row_can_t_be_changed(browser: Client, room: Room, owner: User, outsider: User) -> None:
    browser.post(page_of(room), form_of(room) | {"memberships-0-user": outsider.pk})

    assert roles_in(room) == {"owner": Role.OWNER}


@pytest.mark.parametrize(
    "forged",
    [
        {"memberships-TOTAL_FORMS": "x"},
        {"memberships-INITIAL_FORMS": "0"},
        {"memberships-TOTAL_FORMS": "99999999999"},
        {"memberships-0-role": "king"},
        {"memberships-0-role": "\x00"},
        {"memberships-0-room": "999999"},
    ],
)
def test_a_forged_form_is_refused(browser: Client, room: Room, forged: dict[str, str]) -> None:
    before = state()

    assert errors_of(browser.post(page_of(room), form_of(room, name="Larder") | forged))

    assert state() == before


@pytest.mark.parametrize("key", ["x", "9" * 30, "-1", "%00"])
@pytest.mark.parametrize("path", [ROOMS, MEMBERSHIPS])
def test_what_does_not_exist_is_no_error(browser: Client, path: str, key: str) -> None:
    for step in ("change", "delete", "history"):
        assert browser.get(f"{path}{key}/{step}/").status_code in (302, 403, 404)
        assert browser.post(f"{path}{key}/{step}/", {"post": "yes"}).status_code in (302, 403, 404)


@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete", "options"])
def test_only_a_post_changes_anything(browser: Client, room: Room, owner: User, method: str) -> None:
    membership = room.memberships.get(user=owner)
    paths = [*paths_for(room), f"{MEMBERSHIPS}{membership.pk}/delete/", f"{ROOMS}{room.pk}/delete/"]
    query = f"name=Larder&action=archive&_selected_action={room.pk}&post=yes&archived=on"
    before = state()

    for path in paths:
        getattr(browser, method)(f"{path}?{query}")

    assert state() == before


def test_a_post_needs_its_token(site_owner: User, room: Room) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(site_owner)

    assert browser.post(page_of(room), form_of(room, name="Larder")).status_code == 403
    assert Room.objects.get(pk=room.pk).name == "Kitchen"
