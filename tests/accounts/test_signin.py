from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.accounts.visitor import DIRECTORY, is_signed_in, sign_in
from tests.factories import PASSWORD


@pytest.mark.parametrize("login", ["ana", "ANA", "ana@example.org", "Ana@Example.ORG", " ana "])
def test_sign_in_by_username_or_address_in_any_case(browser: Client, ana: User, login: str) -> None:
    response = sign_in(browser, login, PASSWORD)

    assert (response.status_code, response["Location"]) == (302, DIRECTORY)
    assert is_signed_in(browser)


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("ana", "wrong horse battery staple"),
        ("ana", PASSWORD.upper()),
        ("ana@example.org", "wrong horse battery staple"),
        ("nobody", PASSWORD),
        ("nobody@example.org", PASSWORD),
        ("ana", ""),
        ("", PASSWORD),
        ("an\x00a", PASSWORD),
        ("\u0430na", PASSWORD),
    ],
)
def test_sign_in_refuses(browser: Client, ana: User, login: str, password: str) -> None:
    response = sign_in(browser, login, password)

    assert response.context["form"].errors
    assert not is_signed_in(browser)


def test_unknown_and_known_people_get_the_same_answer(browser: Client, ana: User) -> None:
    known = sign_in(browser, "ana", "wrong horse battery staple").context["form"].errors
    unknown = sign_in(browser, "nobody", "wrong horse battery staple").context["form"].errors

    assert known == unknown == {"__all__": ["This username and password don't belong together."]}


def test_deactivated_people_are_told_so_and_stay_out(browser: Client, ana: User) -> None:
    User.objects.filter(pk=ana.pk).update(is_active=False)

    response = sign_in(browser, "ana", PASSWORD)

    assert response["Location"] == reverse("account_inactive")
    assert not is_signed_in(browser)


def test_guessing_is_stopped_before_the_right_password_helps(browser: Client, ana: User) -> None:
    for _ in range(5):
        sign_in(browser, "ana", "wrong horse battery staple")

    response = sign_in(browser, "ana", PASSWORD)

    errors = response.context["form"].errors
    assert errors == {"__all__": ["Too many failed attempts. Try again in a few minutes."]}
    assert not is_signed_in(browser)


@pytest.mark.parametrize("method", ["query", "field"])
@pytest.mark.parametrize(
    ("following", "goes_to"),
    [
        ("/rooms/new/?kind=private", "/rooms/new/?kind=private"),
        ("https://evil.example/", DIRECTORY),
        ("//evil.example/", DIRECTORY),
        ("/\\evil.example/", DIRECTORY),
        ("http:///evil.example/", DIRECTORY),
        ("http://localhost:9/", DIRECTORY),
        ("javascript:alert(1)", DIRECTORY),
        ("", DIRECTORY),
    ],
)
def test_next_leads_only_to_this_site(browser: Client, ana: User, method: str, following: str, goes_to: str) -> None:
    if method == "query":
        login = {"login": "ana", "password": PASSWORD}
        response = browser.post(reverse("account_login", query={"next": following}), login)
    else:
        response = sign_in(browser, "ana", PASSWORD, next=following)

    assert response["Location"] == goes_to


def test_sign_out_ends_the_session(browser: Client, ana: User) -> None:
    sign_in(browser, "ana", PASSWORD)
    stolen = Client()
    stolen.cookies[settings.SESSION_COOKIE_NAME] = browser.cookies[settings.SESSION_COOKIE_NAME].value
    assert is_signed_in(stolen)

    browser.get(reverse("account_logout"))
    assert is_signed_in(browser)
    response = browser.post(reverse("account_logout"))

    assert response["Location"] == reverse("account_login")
    assert not is_signed_in(browser)
    assert not is_signed_in(stolen)


def test_sign_in_needs_the_form_of_this_site(browser: Client, ana: User) -> None:
    strict = Client(enforce_csrf_checks=True)

    assert sign_in(strict, "ana", PASSWORD).status_code == 403
    assert not is_signed_in(strict)
