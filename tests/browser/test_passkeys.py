"""Passkeys, made and shown by Chromium's own authenticator for tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.browser.conftest import Visit
from tests.factories import PASSWORD, UserFactory
from tests.server import ServerProcess

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}

Open = Callable[[], Page]


@pytest.fixture
def ana(server: ServerProcess) -> User:
    return UserFactory.create(username="ana", email="ana@example.org", name="Ana Lima")


@pytest.fixture
def login(visit: Visit, server: ServerProcess) -> Page:
    """The sign-in page, by a name: browsers give no passkeys to a number."""
    return visit("/accounts/login/", base_url=f"http://localhost:{server.port}")


def with_authenticator(page: Page, **changes: Any) -> tuple[Any, str]:
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    added = session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR | changes})
    return session, added["authenticatorId"]


def sign_in(page: Page) -> None:
    page.get_by_label("Username or email address").fill("ana")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def confirm(page: Page) -> None:
    """Type the password once more, as one must before the account is changed."""
    expect(page.get_by_role("heading", name="Rooms", exact=True, level=1)).to_be_visible()
    page.goto("/accounts/reauthenticate/?next=/accounts/profile/")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="Your profile")).to_be_visible()


def add(page: Page, name: str) -> None:
    page.goto("/accounts/2fa/webauthn/add/")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Add the passkey").click()


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").first.click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_passkey_is_added_and_signs_in(login: Page, ana: User) -> None:
    session, authenticator = with_authenticator(login)
    sign_in(login)
    confirm(login)
    add(login, "Laptop")
    expect(login.get_by_role("heading", name="Recovery codes")).to_be_visible()
    expect(login.locator(".codes code")).to_have_count(10)
    sign_out(login)
    login.get_by_role("button", name="Sign in with a passkey").click()
    expect(login.get_by_role("link", name="All rooms")).to_be_visible()
    login.goto("/accounts/2fa/")
    expect(login.locator(".member-row")).to_contain_text(["Laptop"])
    assert len(session.send("WebAuthn.getCredentials", {"authenticatorId": authenticator})["credentials"]) == 1


def test_passkeys_are_named_and_removed(login: Page, ana: User) -> None:
    session, first = with_authenticator(login)
    sign_in(login)
    confirm(login)
    add(login, "Laptop")
    expect(login.get_by_role("heading", name="Recovery codes")).to_be_visible()
    session.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": first})
    with_authenticator(login, transport="usb")
    add(login, "<b>Key</b> on the ring")
    rows = login.locator(".member-row")
    expect(rows).to_have_count(2)
    expect(rows.filter(has_text="<b>Key</b> on the ring")).to_have_count(1)
    rows.filter(has_text="Laptop").get_by_role("link", name="Rename").click()
    login.get_by_label("Name").fill("Old laptop")
    login.get_by_role("button", name="Save").click()
    rows.filter(has_text="Old laptop").get_by_role("link", name="Remove").click()
    login.get_by_role("button", name="Remove").click()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("on the ring")
    assert Authenticator.objects.filter(user=ana, type="webauthn").count() == 1


def test_passkey_is_the_second_step_after_a_password(login: Page, ana: User) -> None:
    with_authenticator(login)
    sign_in(login)
    confirm(login)
    add(login, "Laptop")
    expect(login.get_by_role("heading", name="Recovery codes")).to_be_visible()
    sign_out(login)
    sign_in(login)
    expect(login.get_by_role("heading", name="One more step")).to_be_visible()
    login.get_by_role("button", name="Use a passkey").click()
    expect(login.get_by_role("link", name="All rooms")).to_be_visible()


def test_removed_passkey_signs_nobody_in(login: Page, ana: User) -> None:
    with_authenticator(login)
    sign_in(login)
    confirm(login)
    add(login, "Laptop")
    expect(login.get_by_role("heading", name="Recovery codes")).to_be_visible()
    sign_out(login)
    Authenticator.objects.all().delete()
    login.get_by_role("button", name="Sign in with a passkey").click()
    expect(login.get_by_text("This passkey can't be used here.")).to_be_visible()
    login.goto("/rooms/")
    expect(login.get_by_role("heading", name="Sign in")).to_be_visible()


def test_who_has_no_passkey_is_told_so(login: Page, ana: User) -> None:
    with_authenticator(login)
    login.get_by_role("button", name="Sign in with a passkey").click()
    expect(login.get_by_text("That did not work. Try again, or take another way.")).to_be_visible()
    expect(login.get_by_role("button", name="Sign in with a passkey")).to_be_enabled()
