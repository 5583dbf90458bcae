from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.test import Client
from django.urls import reverse

from accounts.models import User
from project.oidc_settings import providers
from tests.accounts.oidc_provider import CLIENT_ID, CLIENT_SECRET, Provider, return_path
from tests.accounts.test_pages import assert_well_made
from tests.accounts.visitor import DIRECTORY, is_signed_in, sign_in
from tests.conftest import client_of
from tests.factories import PASSWORD

LOGIN = "/accounts/oidc/site/login/"
SIGNUP = reverse("socialaccount_signup")
NORA = {"sub": "17", "email": "nora@example.org", "email_verified": True, "preferred_username": "nora"}


@pytest.fixture
def provider(settings: Any) -> Iterator[Provider]:
    with Provider() as provider:
        provider.claims = dict(NORA)
        settings.OIDC_NAME = "Example ID"
        settings.SOCIALACCOUNT_PROVIDERS = providers("Example ID", provider.url, CLIENT_ID, CLIENT_SECRET)
        yield provider


def go_there(browser: Client) -> str:
    """Set out to the provider, and return where it was asked to."""
    location: str = browser.post(LOGIN)["Location"]
    return location


def come_back(browser: Client) -> Any:
    return browser.get(return_path(go_there(browser)))


def test_new_person_comes_in_by_the_provider(browser: Client, provider: Provider) -> None:
    assert "Example ID" in browser.get(reverse("account_login")).content.decode()
    location = go_there(browser)
    assert location.startswith(f"{provider.url}/authorize?")
    asked = parse_qs(urlsplit(location).query)
    assert (asked["client_id"], asked["response_type"]) == ([CLIENT_ID], ["code"])
    assert asked["code_challenge_method"] == ["S256"]
    assert browser.get(return_path(location))["Location"] == SIGNUP
    assert User.objects.count() == 0
    page = browser.get(SIGNUP)
    assert_well_made(page.content.decode())
    assert page.context["form"]["username"].value() == "nora"
    assert browser.post(SIGNUP, {"email": "nora@example.org", "username": "nora"})["Location"] == DIRECTORY
    assert is_signed_in(browser)
    nora = User.objects.get()
    assert (nora.username, nora.email, nora.has_usable_password()) == ("nora", "nora@example.org", False)
    assert EmailAddress.objects.get().verified
    assert provider.asked[0]["client_secret"] == CLIENT_SECRET
    assert provider.asked[0]["code_verifier"]
    again = Client()
    assert come_back(again)["Location"] == DIRECTORY
    assert is_signed_in(again)
    assert User.objects.count() == 1


def test_second_sign_up_with_the_same_identity_leaves_no_account_behind(browser: Client, provider: Provider) -> None:
    other = Client()
    come_back(browser)
    come_back(other)
    browser.post(SIGNUP, {"email": "nora@example.org", "username": "nora"})
    other.post(SIGNUP, {"email": "nora.two@example.org", "username": "nora.two"})
    assert list(User.objects.values_list("username", flat=True)) == ["nora"]
    assert [account.user.username for account in SocialAccount.objects.all()] == ["nora"]
    assert come_back(other)["Location"] == DIRECTORY, "they are known now"
    assert is_signed_in(other)


def test_person_is_known_by_an_address_that_the_provider_vouches_for(
    browser: Client, ana: User, provider: Provider
) -> None:
    provider.claims |= {"email": "ana@example.org"}
    EmailAddress.objects.create(user=ana, email=ana.email, verified=True, primary=True)
    come_back(browser)
    assert is_signed_in(browser)
    assert SocialAccount.objects.get().user == ana


def test_address_that_nobody_vouches_for_opens_nothing(browser: Client, ana: User, provider: Provider) -> None:
    provider.claims |= {"email": "ana@example.org", "email_verified": False}
    come_back(browser)
    browser.post(SIGNUP, {"email": "ana@example.org", "username": "somebody"})
    assert not is_signed_in(browser)
    assert User.objects.count() == 1


@pytest.mark.parametrize(("signup", "comes_in"), [("open", True), ("invite", True), ("closed", False)])
def test_whom_the_provider_knows_may_come_in_unless_nobody_may(
    browser: Client, provider: Provider, settings: Any, signup: str, comes_in: bool
) -> None:
    settings.SIGNUP = signup
    come_back(browser)
    browser.post(SIGNUP, {"email": "nora@example.org", "username": "nora"})
    assert (is_signed_in(browser), User.objects.count()) == (comes_in, int(comes_in))


@pytest.mark.parametrize("username", ["admin", "ana", "n\u043era", "x" * 31])
def test_names_are_looked_at_here_too(browser: Client, ana: User, provider: Provider, username: str) -> None:
    provider.claims |= {"preferred_username": username}
    come_back(browser)
    response = browser.post(SIGNUP, {"email": "nora@example.org", "username": username})
    assert response.context["form"].errors["username"]
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    "query",
    ["", "code=x", "state=x", "code=x&state=x", "error=access_denied", "error=%3Cscript%3Ealert", "code=%00&state=%00"],
)
def test_forged_returns_sign_nobody_in(browser: Client, provider: Provider, query: str) -> None:
    response = browser.get(f"{LOGIN}callback/?{query}")
    assert response.status_code < 500
    assert "<script>alert" not in response.content.decode()
    assert not is_signed_in(browser)


def test_return_meant_for_another_browser_signs_nobody_in(browser: Client, provider: Provider) -> None:
    path = return_path(go_there(browser))
    other = Client()
    assert_well_made(other.get(path).content.decode())
    assert other.get(SIGNUP)["Location"] == reverse("account_login")


@pytest.mark.parametrize("claims", [{"iss": "https://evil.test"}, {"aud": "another"}, {"exp": 1}])
def test_word_of_somebody_else_is_not_taken(browser: Client, provider: Provider, claims: dict[str, Any]) -> None:
    provider.claims |= claims
    response = come_back(browser)
    assert (response.status_code, SIGNUP in response.headers.get("Location", "")) == (401, False)
    assert browser.get(SIGNUP)["Location"] == reverse("account_login")


def test_provider_that_is_down_is_said_to_be(browser: Client, provider: Provider) -> None:
    path = return_path(go_there(browser))
    provider.is_broken = True
    for response in (browser.get(path), browser.post(LOGIN)):
        assert (response.status_code, response["Retry-After"]) == (503, "60")
        assert "did not say who you are" in response.content.decode()


def test_account_is_connected_and_disconnected(browser: Client, ana: User, provider: Provider) -> None:
    sign_in(browser, "ana", PASSWORD)
    browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    connections = reverse("socialaccount_connections")
    assert_well_made(browser.get(connections).content.decode())
    browser.get(return_path(browser.post(f"{LOGIN}?process=connect")["Location"]))
    account = SocialAccount.objects.get()
    assert account.user == ana
    assert_well_made(browser.get(connections).content.decode())
    browser.post(connections, {"account": account.pk})
    assert SocialAccount.objects.count() == 0


def test_without_a_provider_there_is_none(browser: Client, ana: User) -> None:
    assert client_of(ana).get("/accounts/oidc/site/login/").status_code == 404
    assert "oidc" not in browser.get(reverse("account_login")).content.decode()
