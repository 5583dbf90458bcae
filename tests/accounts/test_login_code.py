from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.accounts.test_pages import assert_well_made
from tests.accounts.visitor import DIRECTORY, is_signed_in
from tests.factories import UserFactory

ASK = reverse("account_request_login_code")
CONFIRM = reverse("account_confirm_login_code")


def code_in(mail: EmailMessage) -> str:
    found = re.search(r"\n\n([A-Z0-9-]{6,})\n\n", str(mail.body))
    assert found
    return found[1]


def test_mailed_code_signs_in(browser: Client, ana: User, mailoutbox: list[EmailMessage]) -> None:
    assert browser.post(ASK, {"email": "Ana@Example.org"})["Location"] == CONFIRM
    page = browser.get(CONFIRM).content.decode()
    assert_well_made(page)
    assert not is_signed_in(browser)
    assert [(mail.to, mail.subject) for mail in mailoutbox] == [(["ana@example.org"], "Your code to sign in")]
    assert browser.post(CONFIRM, {"code": code_in(mailoutbox[0])})["Location"] == DIRECTORY
    assert is_signed_in(browser)


def test_code_of_another_browser_lets_nobody_in(browser: Client, ana: User, mailoutbox: list[EmailMessage]) -> None:
    browser.post(ASK, {"email": "ana@example.org"})
    other = Client()
    other.post(ASK, {"email": "nobody@example.org"})
    other.post(CONFIRM, {"code": code_in(mailoutbox[0])})
    Client().post(CONFIRM, {"code": code_in(mailoutbox[0])})
    assert not is_signed_in(other)
    browser.post(CONFIRM, {"code": code_in(mailoutbox[0])})
    assert is_signed_in(browser)


def test_three_wrong_codes_and_it_is_over(browser: Client, ana: User, mailoutbox: list[EmailMessage]) -> None:
    browser.post(ASK, {"email": "ana@example.org"})
    answers = [browser.post(CONFIRM, {"code": "WRONG1"}).status_code for _ in range(3)]
    assert answers == [200, 200, 302]
    browser.post(CONFIRM, {"code": code_in(mailoutbox[0])})
    assert not is_signed_in(browser)


def test_nobody_learns_who_is_here(browser: Client, ana: User, mailoutbox: list[EmailMessage]) -> None:
    UserFactory.create(username="closed", email="closed@example.org", is_active=False)
    answers: dict[str, Any] = {}
    for email in ("ana@example.org", "nobody@example.org", "closed@example.org"):
        client = Client()
        sent = client.post(ASK, {"email": email})
        page = client.get(CONFIRM)
        wrong = client.post(CONFIRM, {"code": "WRONG1"})
        bodies = [
            re.sub(r'value="\w{64}"', "", each.content.decode().replace(email, "somebody")) for each in (page, wrong)
        ]
        answers[email] = (sent.status_code, sent["Location"], page.status_code, wrong.status_code, bodies)
    assert len({repr(answer) for answer in answers.values()}) == 1
    assert [mail.to[0] for mail in mailoutbox][:2] == ["ana@example.org", "nobody@example.org"]


@pytest.mark.parametrize("sends_mail", [True, False])
def test_it_is_offered_where_mail_can_be_sent(browser: Client, settings: Any, sends_mail: bool) -> None:
    settings.EMAIL_HOST = "mail.example.org" if sends_mail else ""
    assert (ASK in browser.get(reverse("account_login")).content.decode()) is sends_mail


def test_so_many_codes_for_one_address(browser: Client, ana: User, mailoutbox: list[EmailMessage]) -> None:
    for _ in range(6):
        Client().post(ASK, {"email": "ana@example.org"})
    assert len(mailoutbox) == 3
