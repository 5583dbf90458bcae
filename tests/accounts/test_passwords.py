from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, make_password
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse

from accounts.hashers import BoundedArgon2PasswordHasher
from accounts.models import User
from tests.accounts.visitor import is_signed_in, link_in, sign_in
from tests.factories import PASSWORD

NEW_PASSWORD = "nine purple umbrellas"


def ask_for_a_reset(browser: Client, email: str) -> Any:
    return browser.post(reverse("account_reset_password"), {"email": email})


def test_reset_ends_old_sessions_and_opens_with_the_new_password_only(
    browser: Client, ana: User, mailoutbox: list[EmailMessage]
) -> None:
    old_sessions = [Client(), Client()]
    for old in old_sessions:
        old.force_login(ana)
    assert all(is_signed_in(old) for old in old_sessions)

    response = ask_for_a_reset(browser, "ANA@example.org")
    assert response["Location"] == reverse("account_reset_password_done")
    assert [mail.to for mail in mailoutbox] == [["ana@example.org"]]
    form = browser.get(link_in(mailoutbox[0]))["Location"]
    response = browser.post(form, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})

    assert response["Location"] == reverse("account_reset_password_from_key_done")
    assert not any(is_signed_in(old) for old in old_sessions)
    sign_in(browser, "ana", PASSWORD)
    assert not is_signed_in(browser)
    sign_in(browser, "ana", NEW_PASSWORD)
    assert is_signed_in(browser)


def test_reset_link_works_once(browser: Client, ana: User, mailoutbox: list[EmailMessage]) -> None:
    ask_for_a_reset(browser, ana.email)
    link = link_in(mailoutbox[0])
    browser.post(browser.get(link)["Location"], {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})

    response = Client().get(link)

    assert response.status_code == 200
    assert "This link is no longer good" in response.content.decode()


@pytest.mark.parametrize("key", ["1-x", "zzzzzzzzzzzzz-c00000-aa", "1-set-password", "1-%00", "0-" + "a" * 500])
def test_forged_reset_links_are_no_good(browser: Client, ana: User, key: str) -> None:
    response = browser.get(f"/accounts/password/reset/key/{key}/")

    assert "This link is no longer good" in response.content.decode()


def test_reset_of_an_unknown_address_looks_the_same_and_says_so_by_mail(
    browser: Client, ana: User, mailoutbox: list[EmailMessage]
) -> None:
    known, unknown = (ask_for_a_reset(browser, email) for email in ("ana@example.org", "nobody@example.org"))

    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    subjects = {mail.to[0]: mail.subject for mail in mailoutbox}
    assert subjects == {
        "ana@example.org": "Choose a new password",
        "nobody@example.org": "There is no account with this address",
    }


def test_links_in_mail_name_the_configured_site(
    browser: Client, ana: User, mailoutbox: list[EmailMessage], settings: Any
) -> None:
    settings.SITE_URL = "https://chat.example.org"

    browser.post(reverse("account_reset_password"), {"email": ana.email}, headers={"Host": "localhost:8123"})

    body = str(mailoutbox[0].body)
    assert "https://chat.example.org/accounts/password/reset/key/" in body
    assert "localhost" not in body


def test_password_change_keeps_this_session_and_ends_the_others(browser: Client, ana: User) -> None:
    elsewhere = Client()
    sign_in(browser, "ana", PASSWORD)
    sign_in(elsewhere, "ana", PASSWORD)
    data = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}

    refused = browser.post(reverse("account_change_password"), data | {"oldpassword": "wrong"})
    assert refused.context["form"].errors == {"oldpassword": ["This is not your current password."]}
    assert is_signed_in(elsewhere)
    browser.post(reverse("account_change_password"), data)

    assert is_signed_in(browser)
    assert not is_signed_in(elsewhere)


def test_hashes_cost_what_they_should_and_hold() -> None:
    encoded = make_password(PASSWORD)

    assert encoded.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert check_password(PASSWORD, encoded)
    assert not check_password(PASSWORD + " ", encoded)


def test_many_sign_ins_at_once_hold_little_memory() -> None:
    bounded = _megabytes_for("accounts.hashers.BoundedArgon2PasswordHasher")
    unbounded = _megabytes_for("tests.accounts.test_passwords.UnboundedHasher")

    assert bounded < 200
    assert unbounded > 2 * bounded


class UnboundedHasher(Argon2PasswordHasher):
    time_cost = BoundedArgon2PasswordHasher.time_cost
    memory_cost = BoundedArgon2PasswordHasher.memory_cost
    parallelism = BoundedArgon2PasswordHasher.parallelism


_MEASURE = """
import resource, sys, threading
import django
django.setup()
from django.utils.module_loading import import_string
hasher = import_string(sys.argv[1])()
encoded = hasher.encode("a password", "somesaltsomesalt")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
threads = [threading.Thread(target=hasher.verify, args=("a password", encoded)) for _ in range(30)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def _megabytes_for(hasher: str) -> int:
    """Return how much a process grows while 30 people sign in at once."""
    command = [sys.executable, "-c", _MEASURE, hasher]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60, cwd=settings.BASE_DIR)
    return int(done.stdout)
