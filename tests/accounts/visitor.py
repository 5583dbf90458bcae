"""What somebody does with the account pages."""

from __future__ import annotations

import re
from typing import Any

from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse

PROFILE = reverse("accounts:profile")
DIRECTORY = reverse("rooms:directory")

NEW_PERSON = {"email": "nora@example.org", "username": "nora", "password1": "seven green bicycles"}


def sign_up(browser: Client, **changes: str) -> Any:
    return browser.post(reverse("account_signup"), NEW_PERSON | changes)


def sign_in(browser: Client, login: str, password: str, **more: str) -> Any:
    return browser.post(reverse("account_login"), {"login": login, "password": password, **more})


def is_signed_in(browser: Client) -> bool:
    return bool(browser.get(PROFILE).status_code == 200)


def link_in(mail: EmailMessage) -> str:
    """Return the path of the first link in a mail."""
    found = re.search(r"https?://[^/\s]+(/\S*)", str(mail.body))
    assert found
    return found[1]
