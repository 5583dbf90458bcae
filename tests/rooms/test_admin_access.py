from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from rooms import admin_forms
from rooms.models import Membership, Room
from tests.conftest import client_of, join
from tests.rooms.admin_pages import (
    ADD,
    MEMBERSHIPS,
    PEOPLE,
    PERSON_FIELD,
    ROOMS,
    errors_of,
    form_of,
    page_of,
    paths_for,
    roles_in,
    row_of,
    staff,
    state,
    with_new,
    with_role,
    without,
)

Role = Membership.Role


@pytest.fixture
def browser(site_owner: User) -> Client:
    return client_of(site_owner)


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


@pytest.mark.parametrize("is_superuser", [False, True])
def test_nobody_adds_themselves_to_a_private_room(private_room: Room, is_superuser: bool) -> None:
    keeper = staff("view_room", "change_room")
    User.objects.filter(pk=keeper.pk).update(is_superuser=is_superuser)
    browser = client_of(keeper)
    before = state()
    answer = browser.post(page_of(private_room), with_new(form_of(private_room), private_room, keeper))
    assert "add yourself to a private room" in answer.content.decode()
    assert state() == before
    assert browser.get(f"/rooms/{private_room.slug}/").status_code == 404


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
    row = row_of(honest, mine)
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
        {"memberships-1-user": "x", "memberships-TOTAL_FORMS": "2"},
        {"memberships-1-user": "\x00", "memberships-TOTAL_FORMS": "2"},
        {"memberships-1-user": "9" * 30, "memberships-TOTAL_FORMS": "2"},
    ],
)
def test_a_forged_form_is_refused(browser: Client, room: Room, forged: dict[str, str]) -> None:
    before = state()

    refused = browser.post(page_of(room), form_of(room, name="Larder") | forged)

    assert errors_of(refused)
    assert len(refused.context["inline_admin_formsets"][0].formset.forms) <= admin_forms.MEMBERS_SENT_MAX
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
