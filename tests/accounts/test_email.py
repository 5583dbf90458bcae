from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.accounts.visitor import is_signed_in, link_in, sign_in, sign_up
from tests.factories import PASSWORD, UserFactory


def change_email(browser: Client, email: str) -> Any:
    return browser.post(reverse("account_email"), {"email": email, "action_add": ""})


def sign_in_twice(browser: Client) -> None:
    """Sign in as Ana, and type the password again as one must before the account is changed."""
    sign_in(browser, "ana", PASSWORD)
    browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})


def address_of(user: User) -> str:
    user.refresh_from_db()
    return user.email


def confirm(user: User) -> None:
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)


def test_without_a_mail_server_the_address_changes_at_once(browser: Client, ana: User) -> None:
    sign_in_twice(browser)

    change_email(browser, "New@Example.org")

    assert address_of(ana) == "new@example.org"
    assert [(row.email, row.primary) for row in EmailAddress.objects.filter(user=ana)] == [("new@example.org", True)]
    browser.logout()
    sign_in(browser, "ana@example.org", PASSWORD)
    assert not is_signed_in(browser)
    sign_in(browser, "new@example.org", PASSWORD)
    assert is_signed_in(browser)


@pytest.mark.parametrize(
    "email", ["otto@example.org", "OTTO@example.org", "ana@example.org", "nonsense", "", "a\x00@b.org"]
)
def test_without_a_mail_server_bad_and_taken_addresses_are_refused(browser: Client, ana: User, email: str) -> None:
    UserFactory.create(username="otto", email="otto@example.org")
    sign_in_twice(browser)

    assert change_email(browser, email).context["form"].errors
    assert address_of(ana) == "ana@example.org"


def test_an_address_changes_only_after_the_password_was_typed_again(ana: User) -> None:
    browser = Client()
    browser.force_login(ana)

    response = change_email(browser, "new@example.org")
    assert response["Location"].startswith(reverse("account_reauthenticate"))
    assert address_of(ana) == "ana@example.org"
    browser.post(response["Location"], {"password": PASSWORD})

    assert address_of(ana) == "new@example.org"


@pytest.mark.parametrize("action", ["action_primary", "action_remove"])
def test_forged_forms_neither_remove_nor_swap_the_address(browser: Client, ana: User, action: str) -> None:
    UserFactory.create(username="otto", email="otto@example.org")
    confirm(ana)
    EmailAddress.objects.create(user=ana, email="otto@example.org")
    sign_in_twice(browser)

    for email in ("ana@example.org", "otto@example.org"):
        browser.post(reverse("account_email"), {"email": email, action: ""})

    assert address_of(ana) == "ana@example.org"


def test_sign_up_waits_for_the_address_to_be_confirmed(
    browser: Client, confirmed_addresses: None, mailoutbox: list[EmailMessage]
) -> None:
    response = sign_up(browser)
    assert response["Location"] == reverse("account_email_verification_sent")
    sign_in(browser, "nora", "seven green bicycles")
    assert not is_signed_in(browser)

    link = link_in(mailoutbox[0])
    assert "Is <strong>nora@example.org</strong> the address" in browser.get(link).content.decode()
    browser.post(link)

    sign_in(browser, "nora", "seven green bicycles")
    assert is_signed_in(browser)


def test_sign_up_does_not_tell_who_is_here(
    browser: Client, ana: User, confirmed_addresses: None, mailoutbox: list[EmailMessage]
) -> None:
    known = sign_up(browser, username="somebody", email="ANA@example.org")
    unknown = sign_up(Client(), username="somebody", email="nobody@example.org")

    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    pages = [page.client.get(page["Location"]).content.decode() for page in (known, unknown)]
    assert pages[0].replace("ana@", "nobody@") == pages[1]
    assert {mail.to[0]: mail.subject for mail in mailoutbox} == {
        "ana@example.org": "You have an account already",
        "nobody@example.org": "Welcome! Confirm your email address",
    }
    assert sorted(User.objects.values_list("username", flat=True)) == ["ana", "somebody"]


def test_a_confirmed_change_replaces_the_address_and_tells_the_old_one(
    browser: Client, ana: User, confirmed_addresses: None, mailoutbox: list[EmailMessage]
) -> None:
    confirm(ana)
    sign_in_twice(browser)

    change_email(browser, "new@example.org")
    assert address_of(ana) == "ana@example.org"
    assert (
        "We sent a link to <strong>new@example.org</strong>" in browser.get(reverse("account_email")).content.decode()
    )
    browser.post(link_in(mailoutbox[0]))

    assert address_of(ana) == "new@example.org"
    assert list(EmailAddress.objects.values_list("email", flat=True)) == ["new@example.org"]
    assert [(mail.to, mail.subject) for mail in mailoutbox] == [
        (["new@example.org"], "Confirm your email address"),
        (["ana@example.org"], "Your email address was changed"),
    ]


def test_a_pending_change_can_be_taken_back(
    browser: Client, ana: User, confirmed_addresses: None, mailoutbox: list[EmailMessage]
) -> None:
    confirm(ana)
    sign_in_twice(browser)
    change_email(browser, "new@example.org")

    browser.post(reverse("account_email"), {"email": "new@example.org", "action_remove": ""})
    browser.post(link_in(mailoutbox[0]))

    assert address_of(ana) == "ana@example.org"


def test_an_address_of_somebody_else_can_be_asked_for_but_not_had(
    browser: Client, ana: User, confirmed_addresses: None, mailoutbox: list[EmailMessage]
) -> None:
    UserFactory.create(username="otto", email="otto@example.org")
    confirm(ana)
    sign_in_twice(browser)

    response = change_email(browser, "otto@example.org")
    assert (response.status_code, response["Location"]) == (302, reverse("account_email"))
    browser.post(link_in(mailoutbox[0]))

    assert address_of(ana) == "ana@example.org"


@pytest.mark.parametrize("key", ["x", "Mg:1vN2aB:forged", "a" * 300])
def test_forged_confirmation_links_are_no_good(browser: Client, confirmed_addresses: None, key: str) -> None:
    link = reverse("account_confirm_email", args=[key])

    assert "This link is no longer good" in browser.get(link).content.decode()
    assert browser.post(link).status_code == 404


@pytest.fixture
def no_mail_server(settings: Any) -> Iterator[None]:
    """A mail server that is down: nobody listens at its port."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = taken.getsockname()
        yield


def test_mail_that_is_waited_for_and_cant_be_sent_is_a_503(browser: Client, ana: User, no_mail_server: None) -> None:
    for email in ("ana@example.org", "nobody@example.org"):
        response = browser.post(reverse("account_reset_password"), {"email": email})

        assert (response.status_code, response["Retry-After"]) == (503, "60")
        assert "can&#x27;t send mail right now" in response.content.decode()


def test_a_password_changes_though_nobody_can_be_told(browser: Client, ana: User, no_mail_server: None) -> None:
    sign_in(browser, "ana", PASSWORD)
    data = {"oldpassword": PASSWORD, "password1": "nine purple umbrellas", "password2": "nine purple umbrellas"}

    assert browser.post(reverse("account_change_password"), data).status_code == 302

    ana.refresh_from_db()
    assert ana.check_password("nine purple umbrellas")
