"""Who may not sign up: programs, crowds from one place, and other domains than those that are let in."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings as configured
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse

from accounts.models import User
from invites.models import Invite
from tests.accounts.visitor import is_signed_in, sign_up
from tests.factories import UserFactory
from tests.invites.making import invited

SIGNUP = reverse("account_signup")


def sign_up_as(number: int, browser: Client | None = None, address: str = "203.0.113.7", **changes: str) -> Any:
    browser = browser or Client()
    browser.defaults["REMOTE_ADDR"] = address
    return sign_up(browser, username=f"person.{number}", **{"email": f"p{number}@example.org", **changes})


def test_so_many_an_hour_from_one_address(browser: Client) -> None:
    answers = [sign_up_as(number).status_code for number in range(configured.SIGNUPS_PER_HOUR + 3)]
    assert answers == [302] * configured.SIGNUPS_PER_HOUR + [429] * 3
    assert User.objects.count() == configured.SIGNUPS_PER_HOUR
    refused = sign_up_as(99)
    assert 0 < int(refused["Retry-After"]) <= 3600
    assert "Try again later" in refused.content.decode()
    assert sign_up_as(99, address="203.0.113.8").status_code == 302


def test_network_of_one_customer_is_one_address(browser: Client) -> None:
    answers = [
        sign_up_as(number, address=f"2001:db8:1:2::{number}").status_code
        for number in range(configured.SIGNUPS_PER_HOUR + 1)
    ]
    assert answers == [302] * configured.SIGNUPS_PER_HOUR + [429]
    assert sign_up_as(99, address="2001:db8:1:3::1").status_code == 302


def test_forged_headers_make_no_other_address(browser: Client) -> None:
    for number in range(configured.SIGNUPS_PER_HOUR):
        sign_up_as(number)
    client = Client(headers={"X-Forwarded-For": "198.51.100.1", "X-Real-IP": "198.51.100.1"})
    assert sign_up_as(99, client).status_code == 429


def test_slips_are_not_counted(browser: Client) -> None:
    for number in range(configured.SIGNUPS_PER_HOUR + 2):
        assert sign_up_as(number, password1="short").status_code == 200
    assert sign_up_as(1).status_code == 302


def test_limit_does_not_tell_who_is_here(
    browser: Client, ana: User, confirmed_addresses: None, mailoutbox: list[EmailMessage]
) -> None:
    answers = [
        sign_up_as(number, email="ana@example.org").status_code for number in range(configured.SIGNUPS_PER_HOUR + 1)
    ]
    assert answers == [302] * configured.SIGNUPS_PER_HOUR + [429]
    assert sign_up_as(99).status_code == 429


def test_invited_people_are_not_counted(browser: Client, ana: User) -> None:
    _invite, path = invited(by=ana)
    for number in range(configured.SIGNUPS_PER_HOUR + 2):
        guest = Client()
        guest.post(path, {"then": "signup"})
        assert sign_up_as(number, guest).status_code == 302
    assert Invite.objects.get().uses == configured.SIGNUPS_PER_HOUR + 2
    assert sign_up_as(99).status_code == 302


def test_program_that_fills_in_every_field_gets_no_account(browser: Client) -> None:
    page = browser.get(SIGNUP).content.decode()
    assert 'name="website"' in page
    response = sign_up(browser, website="https://spam.example.org")
    assert response["Location"] == reverse("account_email_verification_sent")
    assert User.objects.count() == 0
    assert not is_signed_in(browser)
    sign_up(browser, website="")
    assert User.objects.count() == 1


@pytest.fixture
def two_domains(settings: Any) -> None:
    settings.SIGNUP_DOMAINS = ["example.org", "example.com"]


@pytest.mark.parametrize("email", ["nora@example.org", "NORA@EXAMPLE.com"])
def test_addresses_at_the_listed_domains_sign_up(browser: Client, two_domains: None, email: str) -> None:
    assert sign_up(browser, email=email).status_code == 302


@pytest.mark.parametrize(
    "email",
    [
        "nora@example.net",
        "nora@sub.example.org",
        "nora@example.org.evil.test",
        "nora@notexample.org",
        '"nora@example.org"@evil.test',
    ],
)
def test_addresses_at_others_do_not(browser: Client, two_domains: None, email: str) -> None:
    response = sign_up(browser, email=email)
    assert response.context["form"].errors["email"] == ["Only addresses at example.org, example.com can sign up here."]
    assert User.objects.count() == 0


def test_invited_people_may_have_any_address(browser: Client, two_domains: None) -> None:
    _invite, path = invited(by=UserFactory.create())
    browser.post(path, {"then": "signup"})
    assert sign_up(browser, email="nora@example.net").status_code == 302
