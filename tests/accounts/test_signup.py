from __future__ import annotations

import threading
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.accounts.visitor import DIRECTORY, NEW_PERSON, is_signed_in, sign_up


def test_sign_up_makes_the_person_and_signs_them_in(browser: Client) -> None:
    response = sign_up(browser)

    assert (response.status_code, response["Location"]) == (302, DIRECTORY)
    assert is_signed_in(browser)
    nora = User.objects.get()
    assert (nora.username, nora.email, nora.name) == ("nora", "nora@example.org", "")
    assert nora.check_password(NEW_PERSON["password1"])
    assert (nora.is_staff, nora.is_superuser) == (False, False)
    assert EmailAddress.objects.filter(user=nora, email="nora@example.org", primary=True).exists()


def test_sign_up_keeps_username_and_address_in_lower_case(browser: Client) -> None:
    sign_up(browser, username="Nora.B-2", email="Nora@Example.ORG")

    nora = User.objects.get()
    assert (nora.username, nora.email) == ("nora.b-2", "nora@example.org")


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"username": "ana"}, "username", "This username is taken."),
        ({"username": "ANA"}, "username", "This username is taken."),
        ({"username": "otto"}, "username", "This username is taken."),
        ({"email": "ana@example.org"}, "email", "There is an account with this email address already."),
        ({"email": "Ana@EXAMPLE.org"}, "email", "There is an account with this email address already."),
        ({"username": "admin"}, "username", "This username is reserved. Choose another one."),
        ({"username": "Everyone"}, "username", "This username is reserved. Choose another one."),
        ({"username": "n\u043era"}, "username", None),
        ({"username": "\uff4e\uff4f\uff52\uff41"}, "username", None),
        ({"username": "no\u200dra"}, "username", None),
        ({"username": "no\u202era"}, "username", None),
        ({"username": "no\x00ra"}, "username", "Null characters are not allowed."),
        ({"username": "no ra"}, "username", None),
        ({"username": "nora."}, "username", None),
        ({"username": "-nora"}, "username", None),
        ({"username": "nora\n"}, "username", ""),
        ({"username": "n"}, "username", "Ensure this value has at least 2 characters (it has 1)."),
        ({"username": "n" * 31}, "username", "Ensure this value has at most 30 characters (it has 31)."),
        ({"username": ""}, "username", "This field is required."),
        ({"email": "no address"}, "email", "Enter a valid email address."),
        ({"email": f"{'a' * 250}@example.org"}, "email", "Ensure this value has at most 254 characters (it has 262)."),
        ({"email": "no\x00ra@example.org"}, "email", "Null characters are not allowed."),
        ({"password1": "short one"}, "password1", None),
        ({"password1": "p" * 257}, "password1", "Your password can have at most 256 characters."),
        ({"password1": "password123"}, "password1", "This password is too common."),
        ({"password1": "nora@example.org"}, "password1", "The password is too similar to the email address."),
        ({"password1": "seven green\x00bicycles"}, "password1", "Null characters are not allowed."),
    ],
)
def test_sign_up_refuses(browser: Client, ana: User, changes: dict[str, str], field: str, sentence: str | None) -> None:
    User.objects.create_user("otto1", "otto@example.org", name="Otto")

    response = sign_up(browser, **changes)

    if sentence == "":  # spaces around it are dropped, so there is nothing left to refuse
        assert User.objects.filter(username="nora").exists()
        return
    errors = response.context["form"].errors
    assert list(errors) == [field]
    assert sentence is None or sentence in errors[field]
    assert User.objects.count() == 2
    assert not is_signed_in(browser)


@pytest.mark.parametrize(
    "changes",
    [
        {"username": "n" * 30},
        {"username": "n2"},
        {"password1": "zehn Zeich"},
        {"password1": "p9" * 128},
        {"password1": "\u0645\u0631\u062d\u0628\u0627 \u202e \U0001f642 \u4f60\u597d"},
    ],
)
def test_sign_up_accepts_at_the_limits(browser: Client, changes: dict[str, str]) -> None:
    sign_up(browser, **changes)

    assert is_signed_in(browser)


def test_sign_up_takes_no_rights_from_the_form(browser: Client) -> None:
    sign_up(browser, is_staff="1", is_superuser="1", is_active="0", id="77", name="Admin")

    nora = User.objects.get()
    assert (nora.is_staff, nora.is_superuser, nora.is_active, nora.name) == (False, False, True, "")


def test_closed_sign_up_makes_nobody(browser: Client, settings: Any) -> None:
    settings.SIGNUP = "closed"

    for response in (browser.get(reverse("account_signup")), sign_up(browser)):
        assert "Sign-up is closed" in response.content.decode()
    assert not User.objects.exists()
    assert reverse("account_signup") not in browser.get(reverse("account_login")).content.decode()

    settings.SIGNUP = "open"
    assert reverse("account_signup") in browser.get(reverse("account_login")).content.decode()
    sign_up(browser)
    assert User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_who_sign_up_with_one_username_at_once_are_both_answered(browser: Client) -> None:
    start = threading.Barrier(4)
    answers = []

    def run(number: int) -> None:
        try:
            start.wait(timeout=10)
            answers.append(sign_up(Client(), email=f"nora{number}@example.org").status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert len(answers) == 4
    assert set(answers) <= {200, 302}
    assert User.objects.filter(username="nora").count() == 1
    assert EmailAddress.objects.count() == User.objects.count() == 1
