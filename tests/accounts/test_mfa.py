"""A second step when signing in, and who has to have one. Passkeys themselves are in tests/browser/test_passkeys.py."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.accounts.test_pages import assert_well_made
from tests.accounts.visitor import PROFILE, is_signed_in, sign_in
from tests.conftest import client_of
from tests.factories import PASSWORD, UserFactory

INDEX = reverse("mfa_index")
STEP = reverse("mfa_authenticate")
ADMIN = reverse("admin:index")


def signed_in_just_now(browser: Client) -> Client:
    sign_in(browser, "ana", PASSWORD)
    assert is_signed_in(browser)
    browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return browser


@pytest.fixture(autouse=True)
def codes_that_last(settings: Any) -> None:
    """A new code every few decades, so that none ends between its making and its use."""
    settings.MFA_TOTP_PERIOD = 2**30


def code_of(secret: str) -> str:
    return str(totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 2**30)))


def set_up_app(browser: Client) -> tuple[str, list[str]]:
    """Turn on codes from an app; return its key and the recovery codes."""
    page = browser.get(reverse("mfa_activate_totp"))
    assert_well_made(page.content.decode())
    secret: str = page.context["form"].secret
    response = browser.post(reverse("mfa_activate_totp"), {"code": code_of(secret)})
    assert response["Location"] == reverse("mfa_view_recovery_codes")
    codes = browser.get(response["Location"])
    assert_well_made(codes.content.decode())
    return secret, re.findall(r"<code>([\d-]+)</code>", codes.content.decode())


def test_password_alone_is_not_enough_any_more(browser: Client, ana: User) -> None:
    secret, _codes = set_up_app(signed_in_just_now(browser))
    other = Client()
    assert sign_in(other, "ana", PASSWORD)["Location"] == STEP
    assert not is_signed_in(other)
    page = other.get(STEP)
    assert_well_made(page.content.decode())
    assert "This code is not right." in other.post(STEP, {"code": "000000"}).content.decode()
    assert not is_signed_in(other)
    other.post(STEP, {"code": code_of(secret)})
    assert is_signed_in(other)


def test_code_lets_in_once(browser: Client, ana: User) -> None:
    secret, _codes = set_up_app(signed_in_just_now(browser))
    code = code_of(secret)
    answers = []
    for each in (Client(), Client()):
        sign_in(each, "ana", PASSWORD)
        each.post(STEP, {"code": code})
        answers.append(is_signed_in(each))
    assert answers == [True, False]


def test_recovery_code_lets_in_once(browser: Client, ana: User) -> None:
    _secret, codes = set_up_app(signed_in_just_now(browser))
    assert len(set(codes)) == 10
    answers = []
    for code in (codes[0], codes[0], codes[1]):
        each = Client()
        sign_in(each, "ana", PASSWORD)
        each.post(STEP, {"code": code})
        answers.append(is_signed_in(each))
    assert answers == [True, False, True]


def test_guesses_of_codes_are_limited(browser: Client, ana: User) -> None:
    secret, _codes = set_up_app(signed_in_just_now(browser))
    other = Client()
    sign_in(other, "ana", PASSWORD)
    for _ in range(12):
        other.post(STEP, {"code": "000000"})
    totp_answer = other.post(STEP, {"code": code_of(secret)})
    assert totp_answer.status_code == 200
    assert not is_signed_in(other)


def test_second_step_without_the_first_leads_nowhere(browser: Client, ana: User) -> None:
    assert browser.get(STEP)["Location"] == reverse("account_login")
    assert browser.post(STEP, {"code": "000000"})["Location"] == reverse("account_login")


def test_app_is_turned_off_after_confirming_who_one_is(ana: User) -> None:
    browser = client_of(ana)
    path = reverse("mfa_activate_totp")
    assert browser.get(path)["Location"].startswith(reverse("account_reauthenticate"))
    browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    set_up_app(browser)
    assert_well_made(browser.get(INDEX).content.decode())
    assert_well_made(browser.get(reverse("mfa_deactivate_totp")).content.decode())
    assert_well_made(browser.get(reverse("mfa_generate_recovery_codes")).content.decode())
    browser.post(reverse("mfa_deactivate_totp"))
    assert Authenticator.objects.count() == 0
    assert sign_in(Client(), "ana", PASSWORD)["Location"] != STEP


@pytest.mark.django_db(transaction=True)
def test_person_is_told_by_mail(browser: Client, ana: User, mailoutbox: list[EmailMessage]) -> None:
    EmailAddress.objects.create(user=ana, email=ana.email, primary=True, verified=True)
    set_up_app(signed_in_just_now(browser))
    assert [mail.subject for mail in mailoutbox] == ["Codes from an app were turned on"]
    browser.post(reverse("mfa_generate_recovery_codes"))
    assert mailoutbox[1].subject == "New recovery codes were made"
    assert {mail.to[0] for mail in mailoutbox} == {"ana@example.org"}


def test_where_addresses_are_confirmed_that_comes_first(browser: Client, ana: User, settings: Any) -> None:
    settings.MFA_ALLOW_UNVERIFIED_EMAIL = False
    address = EmailAddress.objects.create(user=ana, email=ana.email, primary=True, verified=False)
    signed_in_just_now(browser)
    assert browser.get(reverse("mfa_activate_totp"))["Location"] == INDEX
    EmailAddress.objects.filter(pk=address.pk).update(verified=True)
    assert browser.get(reverse("mfa_activate_totp")).status_code == 200


@pytest.mark.parametrize("is_required", [False, True])
def test_admin_opens_only_with_a_second_step_where_that_is_asked(
    browser: Client, ana: User, settings: Any, is_required: bool
) -> None:
    settings.STAFF_MFA = is_required
    User.objects.filter(pk=ana.pk).update(is_staff=True, is_superuser=True)
    signed_in_just_now(browser)
    paths = [ADMIN, reverse("admin:accounts_user_changelist"), reverse("admin:invites_invite_changelist")]
    answers = [browser.get(path) for path in paths]
    assert [answer.status_code for answer in answers] == [302 if is_required else 200] * 3
    if is_required:
        assert {answer["Location"] for answer in answers} == {INDEX}
        assert "the administration opens only with one" in browser.get(INDEX).content.decode()
    set_up_app(browser)
    assert [browser.get(path).status_code for path in paths] == [200] * 3
    assert client_of(UserFactory.create()).get(ADMIN).status_code == 302


def test_superuser_frees_whoever_has_lost_everything(browser: Client, ana: User) -> None:
    set_up_app(signed_in_just_now(browser))
    staff = client_of(UserFactory.create(is_staff=True, is_superuser=True))
    people = reverse("admin:accounts_user_changelist")
    staff.post(people, {"action": "remove_factors", "_selected_action": [ana.pk]})
    assert Authenticator.objects.count() == 0
    other = Client()
    sign_in(other, "ana", PASSWORD)
    assert is_signed_in(other)


def test_secrets_are_not_shown_in_the_admin(db: None) -> None:
    staff = client_of(UserFactory.create(is_staff=True, is_superuser=True))
    assert staff.get("/admin/mfa/authenticator/").status_code == 404


NOT_PASSKEYS = ["", "x", "{}", "[]", "null", "1", '{"id": "x"}', '{"id": 1, "rawId": [], "response": {}}', '"\\ud800"']


@pytest.mark.parametrize("credential", NOT_PASSKEYS)
def test_what_is_no_passkey_lets_nobody_in(browser: Client, ana: User, credential: str) -> None:
    path = reverse("mfa_login_webauthn")
    options = browser.get(path, headers={"Accept": "application/json"}).json()
    assert options["request_options"]["publicKey"]["challenge"]
    assert browser.post(path, {"credential": credential}).status_code == 302
    assert not is_signed_in(browser)
    assert browser.get(PROFILE).status_code == 302


@pytest.mark.parametrize("credential", NOT_PASSKEYS)
def test_what_is_no_passkey_is_not_added(browser: Client, ana: User, credential: str) -> None:
    signed_in_just_now(browser)
    path = reverse("mfa_add_webauthn")
    assert_well_made(browser.get(path).content.decode())
    answer = browser.post(path, {"name": "Key", "credential": credential, "passwordless": "on"})
    assert answer.status_code == 200
    assert Authenticator.objects.count() == 0


def test_attempts_of_many_others_do_not_make_the_limits_forget(browser: Client) -> None:
    cache.set("attempt", 1)
    for number in range(400):
        cache.set(f"other-{number}", 1)
    cache.set("~", 1)
    assert (cache.get("attempt"), cache.get("other-0")) == (1, 1)
