"""Every account page that can be shown is one of ours, and well made."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.accounts.visitor import PROFILE, link_in, sign_up
from tests.conftest import client_of
from tests.factories import UserFactory

SIGNED_OUT = [
    reverse("account_login"),
    reverse("account_signup"),
    reverse("account_inactive"),
    reverse("account_email_verification_sent"),
    reverse("account_reset_password"),
    reverse("account_request_login_code"),
    reverse("account_reset_password_done"),
    reverse("account_reset_password_from_key_done"),
    reverse("account_confirm_email", args=["x"]),
    "/accounts/password/reset/key/1-x/",
]
SIGNED_IN = [
    PROFILE,
    reverse("account_logout"),
    reverse("account_email"),
    reverse("account_change_password"),
    reverse("account_reauthenticate"),
    reverse("mfa_index"),
    reverse("mfa_list_webauthn"),
]


class Page(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, *names: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag in names]


def assert_well_made(html: str) -> None:
    page = Page(html)
    assert len(page.all("h1")) == 1
    assert len(page.all("main")) == 1
    assert len(page.all("title")) == 1
    assert page.all("style") == []
    assert [
        script for script in page.all("script") if "src" not in script and script["type"] != "application/json"
    ] == []
    handlers = [name for _, attributes in page.tags for name in attributes if name == "style" or name.startswith("on")]
    assert handlers == []
    labelled = {label.get("for") for label in page.all("label")}
    controls = [
        control
        for control in page.all("input", "select", "textarea")
        if control.get("type") != "hidden" and "hidden" not in control
    ]
    assert [control for control in controls if control.get("id") not in labelled] == []
    assert [control for control in controls if not control.get("autocomplete")] == []


@pytest.mark.parametrize("path", SIGNED_OUT)
def test_signed_out_pages_are_well_made(browser: Client, path: str) -> None:
    response = browser.get(path)

    assert response.status_code == 200
    assert_well_made(response.content.decode())


@pytest.mark.parametrize("path", SIGNED_IN)
def test_signed_in_pages_are_well_made(ana: User, path: str) -> None:
    response = client_of(ana).get(path)

    assert response.status_code == 200
    assert_well_made(response.content.decode())


def test_the_other_pages_are_well_made(
    browser: Client, ana: User, confirmed_addresses: None, mailoutbox: list[EmailMessage]
) -> None:
    stranger = UserFactory.create(username="stranger", password="!")
    browser.post(reverse("account_reset_password"), {"email": ana.email})
    sign_up(browser)
    reset, confirm = mailoutbox

    for response in (
        browser.get(link_in(reset), follow=True),
        browser.get(link_in(confirm)),
        client_of(stranger).get(reverse("account_set_password")),
        browser.post(reverse("account_login"), {"login": "ana", "password": "wrong"}),
    ):
        assert response.status_code == 200
        assert_well_made(response.content.decode())
    assert_well_made(render_to_string("account/verified_email_required.html", {"user": ana}))


def test_no_page_or_mail_is_written_by_a_library() -> None:
    ours = {path.relative_to(settings.BASE_DIR / "templates") for path in (settings.BASE_DIR / "templates").rglob("*")}

    for path in ours:
        if path.parts[0] == "account" and path.suffix:
            text = (settings.BASE_DIR / "templates" / path).read_text()
            assert "allauth" not in text
            for parent in re.findall(r"\{% (?:extends|include) \"([^\"]+)\"", text):
                assert (settings.BASE_DIR / "templates" / parent).is_file(), f"{path} needs {parent}"


def test_names_are_shown_as_text(ana: User) -> None:
    User.objects.filter(pk=ana.pk).update(name="<img src=x onerror=alert(1)>")

    html = client_of(ana).get(PROFILE).content.decode()

    assert "<img src=x" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html


def test_enter_is_chosen_once_for_all_devices(ana: User) -> None:
    browser, other = client_of(ana), client_of(ana)
    response = browser.post("/accounts/writing/", {"enter_sends": "no"})
    assert (response.status_code, response["Location"]) == (302, "/accounts/profile/")
    assert User.objects.get().enter_sends is False
    chosen = [
        each["value"]
        for each in Page(other.get("/accounts/profile/").content.decode()).all("input")
        if "checked" in each
    ]
    assert chosen == ["no"]


def test_enter_is_nothing_else(ana: User) -> None:
    browser = client_of(ana)
    assert browser.post("/accounts/writing/", {"enter_sends": "maybe"}).status_code == 400
    assert browser.get("/accounts/writing/").status_code == 405
    assert Client().post("/accounts/writing/", {"enter_sends": "no"}).status_code == 302
    assert User.objects.get().enter_sends
