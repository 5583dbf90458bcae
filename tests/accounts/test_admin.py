from __future__ import annotations

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.accounts.visitor import is_signed_in
from tests.conftest import client_of
from tests.factories import UserFactory

PEOPLE = reverse("admin:accounts_user_changelist")
ADD = reverse("admin:accounts_user_add")


@pytest.fixture
def superuser(db: None) -> User:
    return UserFactory.create(username="olga", is_staff=True, is_superuser=True)


@pytest.fixture
def staff(db: None) -> User:
    """Somebody who may look after people, and nothing else."""
    person = UserFactory.create(username="stella", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(content_type__app_label="accounts"))
    return person


def change_page(person: User) -> str:
    return reverse("admin:accounts_user_change", args=[person.pk])


def save(browser: Client, person: User, **changes: Any) -> Any:
    rights = {field: "on" for field in ("is_active", "is_staff", "is_superuser") if getattr(person, field)}
    data = {"username": person.username, "name": person.name, "email": person.email, **rights, **changes}
    return browser.post(change_page(person), {field: value for field, value in data.items() if value is not None})


def errors_of(response: Any) -> list[str]:
    return [str(error) for errors in response.context["errors"] for error in errors]


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_shows_people_in_few_queries(superuser: User, count: int, django_assert_num_queries: Any) -> None:
    browser = client_of(superuser)
    people = UserFactory.create_batch(count)

    with django_assert_num_queries(8):
        html = browser.get(PEOPLE).content.decode()

    assert all(person.username in html and person.email in html for person in people)


@pytest.mark.parametrize("query", ["ana", "lima", "ANA@example"])
def test_people_are_found_by_username_name_and_address(superuser: User, ana: User, query: str) -> None:
    listed = client_of(superuser).get(PEOPLE, {"q": query}).context["cl"].result_list

    assert list(listed) == [ana]


@pytest.mark.parametrize(
    "parameter", ["password__startswith=a", "order_by=-password", "is_active__exact=maybe", "q=%00"]
)
def test_odd_questions_to_the_list_are_no_error(superuser: User, parameter: str) -> None:
    assert client_of(superuser).get(f"{PEOPLE}?{parameter}").status_code in (200, 302, 400)


def test_a_person_is_added_with_a_hashed_password(superuser: User, browser: Client) -> None:
    data = {"username": "Petra", "email": "Petra@Example.org", "name": "Petra Kos", "usable_password": "true"}
    passwords = {"password1": "seven green bicycles", "password2": "seven green bicycles"}

    response = client_of(superuser).post(ADD, data | passwords)

    petra = User.objects.get(username="petra")
    assert response["Location"] == change_page(petra)
    assert (petra.email, petra.name) == ("petra@example.org", "Petra Kos")
    assert petra.check_password("seven green bicycles")
    assert EmailAddress.objects.get(user=petra).email == "petra@example.org"
    assert LogEntry.objects.get().object_id == str(petra.pk)


@pytest.mark.parametrize(
    "changes",
    [
        {"username": "ANA"},
        {"username": "admin"},
        {"username": "p\u0435tra"},
        {"email": "ANA@example.org"},
        {"name": "\u0410na Lima"},
        {"name": "Petra\u202e"},
        {"password1": "password123", "password2": "password123"},
    ],
)
def test_the_admin_keeps_the_rules_for_names_and_passwords(superuser: User, ana: User, changes: dict[str, str]) -> None:
    data = {"username": "petra", "email": "petra@example.org", "name": "Petra", "usable_password": "true"}
    passwords = {"password1": "seven green bicycles", "password2": "seven green bicycles"}

    response = client_of(superuser).post(ADD, data | passwords | changes)

    assert errors_of(response)
    assert User.objects.count() == 2


def test_deactivating_signs_the_person_out_and_is_noted(superuser: User, ana: User) -> None:
    victim = client_of(ana)
    assert is_signed_in(victim)

    save(client_of(superuser), ana, is_active=None)

    ana.refresh_from_db()
    assert not ana.is_active
    assert not is_signed_in(victim)
    assert LogEntry.objects.get().get_change_message() == "Changed Active."
    save(client_of(superuser), ana, is_active="on")
    assert not is_signed_in(victim)


def test_a_changed_address_is_the_one_to_sign_in_with(superuser: User, ana: User) -> None:
    EmailAddress.objects.create(user=ana, email=ana.email, primary=True, verified=True)

    save(client_of(superuser), ana, email="ana@example.net")

    assert list(EmailAddress.objects.filter(user=ana).values_list("email", "primary")) == [("ana@example.net", True)]


def test_nobody_deletes_people(superuser: User, ana: User) -> None:
    browser = client_of(superuser)

    assert browser.post(reverse("admin:accounts_user_delete", args=[ana.pk]), {"post": "yes"}).status_code == 403
    browser.post(PEOPLE, {"action": "delete_selected", "_selected_action": [ana.pk], "post": "yes"})

    assert User.objects.filter(pk=ana.pk).exists()


@pytest.mark.parametrize("right", ["is_superuser", "is_active"])
def test_the_last_superuser_stays(superuser: User, right: str) -> None:
    browser = client_of(superuser)

    refused = save(browser, superuser, **{right: None})
    assert errors_of(refused) == ["Somebody has to own the site: make another person a superuser first."]
    superuser.refresh_from_db()
    assert getattr(superuser, right)

    UserFactory.create(username="second", is_superuser=True, is_staff=True)
    save(browser, superuser, **{right: None})
    superuser.refresh_from_db()
    assert not getattr(superuser, right)


def test_staff_look_after_people_without_giving_rights(staff: User, ana: User) -> None:
    group = Group.objects.create(name="Keepers")
    rights = {"is_staff": "on", "is_superuser": "on", "groups": [group.pk], "user_permissions": [1]}

    response = save(client_of(staff), ana, name="Ana Maria", **rights)

    assert response.status_code == 302
    ana.refresh_from_db()
    assert (ana.name, ana.is_staff, ana.is_superuser) == ("Ana Maria", False, False)
    assert not ana.groups.exists()
    assert not ana.user_permissions.exists()


@pytest.mark.parametrize("target", ["superuser", "staff"])
def test_staff_touch_nobody_with_rights(staff: User, superuser: User, target: str) -> None:
    person = {"superuser": superuser, "staff": staff}[target]
    browser = client_of(staff)
    before = User.objects.values().get(pk=person.pk)
    passwords = {"password1": "seven green bicycles", "password2": "seven green bicycles", "usable_password": "true"}

    assert save(browser, person, email="mine@example.org", is_superuser="on").status_code == 403
    password_page = reverse("admin:auth_user_password_change", args=[person.pk])
    assert browser.post(password_page, passwords).status_code == 403

    assert User.objects.values().get(pk=person.pk) == before


def test_staff_without_the_permission_see_nobody(ana: User) -> None:
    User.objects.filter(pk=ana.pk).update(is_staff=True)

    assert client_of(ana).get(PEOPLE).status_code == 403


def test_groups_are_changed_by_superusers_only(staff: User, superuser: User) -> None:
    staff.user_permissions.set(Permission.objects.all())
    add, data = reverse("admin:auth_group_add"), {"name": "Keepers", "permissions": [1]}

    assert client_of(staff).get(add).status_code == 403
    assert client_of(staff).post(add, data).status_code == 403
    assert not Group.objects.exists()
    assert client_of(superuser).post(add, data).status_code == 302
    change = reverse("admin:auth_group_change", args=[Group.objects.get().pk])
    assert client_of(staff).post(change, {"name": "Owners"}).status_code == 403
    assert list(Group.objects.values_list("name", flat=True)) == ["Keepers"]


def test_a_set_password_works_and_ends_sessions(superuser: User, ana: User) -> None:
    victim = client_of(ana)
    data = {"password1": "seven green bicycles", "password2": "seven green bicycles", "usable_password": "true"}

    client_of(superuser).post(reverse("admin:auth_user_password_change", args=[ana.pk]), data)

    ana.refresh_from_db()
    assert ana.check_password("seven green bicycles")
    assert not is_signed_in(victim)
    assert LogEntry.objects.filter(object_id=str(ana.pk)).exists()


def test_sign_out_everywhere_reaches_those_one_may_change(staff: User, superuser: User, ana: User) -> None:
    victim, untouched = client_of(ana), client_of(superuser)
    assert is_signed_in(victim)

    client_of(staff).post(PEOPLE, {"action": "sign_out_everywhere", "_selected_action": [ana.pk, superuser.pk]})

    assert not is_signed_in(victim)
    assert is_signed_in(untouched)
    assert [entry.object_id for entry in LogEntry.objects.all()] == [str(ana.pk)]


def test_names_are_shown_as_text_in_the_admin(superuser: User, ana: User) -> None:
    User.objects.filter(pk=ana.pk).update(name="<img src=x onerror=alert(1)>")
    browser = client_of(superuser)

    for path in (PEOPLE, change_page(ana)):
        assert "<img src=x" not in browser.get(path).content.decode()
