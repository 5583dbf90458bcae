from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from accounts.names import initials
from accounts.skeletons import skeleton
from tests.accounts.visitor import PROFILE
from tests.conftest import client_of
from tests.factories import UserFactory


def change_name(browser: Client, name: str, **headers: str) -> Any:
    return browser.post(PROFILE, {"name": name}, headers=headers)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Ana Lima", "Ana Lima"),
        ("  Ana \t  Lima ", "Ana Lima"),
        ("", ""),
        ("n" * settings.DISPLAY_NAME_MAX, "n" * settings.DISPLAY_NAME_MAX),
        (
            "\U0001f469\u200d\U0001f680 \u0645\u0631\u064a\u0645 \u738b",
            "\U0001f469\u200d\U0001f680 \u0645\u0631\u064a\u0645 \u738b",
        ),
        ("Zoe\u0308", "Zo\u00eb"),
        ("<b>Ana</b> & 'co'", "<b>Ana</b> & 'co'"),
        ("Ana", "Ana"),
    ],
)
def test_people_change_their_name(ana: User, typed: str, kept: str) -> None:
    response = change_name(client_of(ana), typed)

    assert (response.status_code, response["Location"]) == (302, PROFILE)
    ana.refresh_from_db()
    assert (ana.name, ana.display_name) == (kept, kept or "ana")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("n" * (settings.DISPLAY_NAME_MAX + 1), f"Use at most {settings.DISPLAY_NAME_MAX} characters."),
        ("Ana\u202e", "Leave out characters that change the direction of text."),
        ("\u2066Ana\u2069", "Leave out characters that change the direction of text."),
        ("A\u200fna", "Leave out characters that change the direction of text."),
        ("Ana\x00", "Leave out control characters."),
        ("Ana\x07", "Leave out control characters."),
        ("\u200b\u2060", "Use at least one visible character."),
        ("A" + "\u0301" * 1000, "There are too many accents on one letter."),
        ("Otto Rau", "This name is taken. Add something that tells you apart."),
        ("otto  rau", "This name is taken. Add something that tells you apart."),
        ("Ott\u043e R\u0430u", "This name is taken. Add something that tells you apart."),
        ("\uff2f\uff34\uff34\uff2f \uff32\uff21\uff35", "This name is taken. Add something that tells you apart."),
        ("Otto\u200d Rau", "This name is taken. Add something that tells you apart."),
        ("otto", "This name is taken. Add something that tells you apart."),
        ("\u039f\u03a4\u03a4\u039f", "This name is taken. Add something that tells you apart."),
        ("Admin", "This name is reserved. Choose another one."),
        ("\u0430dmin", "This name is reserved. Choose another one."),
    ],
)
def test_names_that_break_or_deceive_are_refused(ana: User, name: str, sentence: str) -> None:
    UserFactory.create(username="otto", name="Otto Rau")

    response = change_name(client_of(ana), name, Accept="application/json")

    assert response.status_code == 400
    assert response.json() == {"errors": {"name": [sentence]}}
    ana.refresh_from_db()
    assert ana.name == "Ana Lima"


def test_a_refused_name_comes_back_in_the_form(ana: User) -> None:
    response = change_name(client_of(ana), "Admin")

    assert response.status_code == 400
    assert "This name is reserved." in response.content.decode()
    assert 'value="Admin"' in response.content.decode()


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_the_profile_page_takes_forms_only(ana: User, method: str) -> None:
    assert getattr(client_of(ana), method)(PROFILE).status_code == 405


def test_nobody_changes_the_name_of_somebody_else(ana: User) -> None:
    otto = UserFactory.create(username="otto", name="Otto Rau")

    client_of(ana).post(PROFILE, {"name": "Ana Maria", "id": otto.pk, "person": otto.pk, "is_staff": "1"})

    assert sorted(User.objects.values_list("name", "is_staff")) == [("Ana Maria", False), ("Otto Rau", False)]


@pytest.mark.django_db
def test_the_database_keeps_names_apart_by_how_they_look() -> None:
    UserFactory.create(username="otto", name="Otto Rau")
    UserFactory.create(username="otto2", name="Otto Raus")
    UserFactory.create(username="otto3", name="")
    UserFactory.create(username="otto4", name="")

    with pytest.raises(IntegrityError, match="user_name_unique"), transaction.atomic():
        UserFactory.create(username="otto5", name="OTTO R\u0430U")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("username", "email", "constraint"),
    [
        ("Anna", "anna@example.org", "user_username_lower"),
        ("anna", "Anna@example.org", "user_email_lower"),
        ("ana", "anna@example.org", "user_username_unique"),
        ("anna", "ana@example.org", "user_email_unique"),
    ],
)
def test_the_database_keeps_usernames_and_addresses_apart_by_case(
    ana: User, username: str, email: str, constraint: str
) -> None:
    User.objects.create(username="anna1", email="anna1@example.org")

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        User.objects.create(username=username, email=email)


def test_people_are_found_by_username_in_any_case(ana: User) -> None:
    assert User.objects.get_by_natural_key("ANA") == ana


@given(st.text())
def test_a_skeleton_is_its_own_skeleton_whatever_the_case(text: str) -> None:
    assert skeleton(skeleton(text)) == skeleton(text)


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789._-"))
def test_usernames_are_their_own_skeletons(username: str) -> None:
    assert skeleton(username) == username == skeleton(username.upper())


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Ana Lima", "AL"),
        ("ana", "A"),
        ("ana.b-lima_x", "AX"),
        ("\u00dfen", "S"),
        ("\u738b \u5c0f\u660e", "\u738b\u5c0f"),
        ("\U0001f642", "\U0001f642"),
        ("- ana", "A"),
        ("", "?"),
    ],
)
def test_initials(name: str, letters: str) -> None:
    assert initials(name) == letters
