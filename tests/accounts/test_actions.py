from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.db import transaction
from django.test import Client
from django.urls import reverse

from accounts import actions
from accounts.models import User
from accounts.sessions import still_signed_in
from project.realtime.notify import CONTROL_CHANNEL
from project.realtime.reader import connection_settings
from tests.accounts.visitor import link_in, sign_in
from tests.conftest import client_of
from tests.factories import PASSWORD, UserFactory

NEW_PASSWORD = "nine purple umbrellas"


@contextmanager
def heard() -> Iterator[Callable[[], str | None]]:
    """Listen as every process does; the function waits for the next payload, at most five seconds."""
    with psycopg.connect(**connection_settings(), autocommit=True) as listener:
        listener.execute(f'LISTEN "{CONTROL_CHANNEL}"')
        yield lambda: next((note.payload for note in listener.notifies(timeout=5, stop_after=1)), None)


@pytest.fixture
def person(transactional_db: None) -> User:
    return UserFactory.create(username="ana", email="ana@example.org")


def test_sign_out_is_told_once_the_session_is_gone(person: User) -> None:
    browser = client_of(person)
    session = (person.pk, str(browser.session.session_key))

    with heard() as next_payload:
        browser.post(reverse("account_logout"))

        assert next_payload() == f"user:{person.pk}"
    assert still_signed_in([session]) == set()


def test_sign_out_in_the_admin_is_told_too(person: User) -> None:
    User.objects.filter(pk=person.pk).update(is_staff=True)
    browser = client_of(person)

    with heard() as next_payload:
        browser.post(reverse("admin:logout"))

        assert next_payload() == f"user:{person.pk}"


def test_password_change_is_told(person: User) -> None:
    browser = client_of(person)
    data = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}

    with heard() as next_payload:
        browser.post(reverse("account_change_password"), data)

        assert next_payload() == f"user:{person.pk}"


def test_password_reset_is_told(person: User, mailoutbox: list[EmailMessage]) -> None:
    browser = Client()
    browser.post(reverse("account_reset_password"), {"email": person.email})
    form = browser.get(link_in(mailoutbox[0]))["Location"]

    with heard() as next_payload:
        browser.post(form, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})

        assert next_payload() == f"user:{person.pk}"
    sign_in(browser, "ana", NEW_PASSWORD)


def test_streams_are_told_of_only_what_was_committed(person: User) -> None:
    other = UserFactory.create(username="otto")

    with heard() as next_payload:
        with transaction.atomic():
            actions.end_streams_of(person)
            transaction.set_rollback(True)
        actions.end_streams_of(other)

        assert next_payload() == f"user:{other.pk}"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("email", "name", "username"),
    [
        ("Ana.Lima+chat@Example.org", "Ana Lima", "ana.lima.chat"),
        ("admin@example.org", "Ana Lima", "ana.lima"),
        ("admin@example.org", "Admin", "admin2"),
        ("taken@example.org", "Taken", "taken2"),
        ("_@example.org", "\u738b\u5c0f\u660e", "person"),
        ("x" * 60 + "@example.org", "", "x" * 30),
        ("support@example.org", "J\u00f6rg", "jorg"),
    ],
)
def test_the_owner_gets_a_username_of_their_own(email: str, name: str, username: str) -> None:
    UserFactory.create(username="taken", email="somebody@example.org", name="")

    owner = actions.create_owner(name=name, email=email, password=PASSWORD)

    owner.refresh_from_db()
    owner.full_clean()
    assert (owner.username, owner.email, owner.name) == (username, email.lower(), name)
    assert owner.is_superuser
    assert owner.is_staff
    assert owner.check_password(PASSWORD)
    assert EmailAddress.objects.get(user=owner).verified


@pytest.mark.parametrize(
    ("name", "email", "field"), [("Olga", "ana@example.org", "email"), ("Ana Lima", "olga@example.org", "name")]
)
def test_the_owner_takes_nothing_from_others(ana: User, name: str, email: str, field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        actions.create_owner(name=name, email=email, password=PASSWORD)

    assert list(refused.value.message_dict) == [field]
    assert User.objects.count() == 1


def test_a_name_taken_meanwhile_is_refused_by_the_action(ana: User) -> None:
    otto = UserFactory.create(username="otto", name="Otto")

    with pytest.raises(ValidationError):
        actions.change_name(otto, name="\u0410na Lima")

    assert otto.name == "Otto"
    otto.refresh_from_db()
    assert otto.name == "Otto"
