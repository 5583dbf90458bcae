from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.accounts.visitor import PROFILE
from tests.conftest import client_of

LOGIN = reverse("account_login")


def to_login(path: str) -> tuple[int, str]:
    return 302, f"{LOGIN}?{urlencode({'next': path}, safe='/')}"


def answer(response: Any) -> tuple[int, str]:
    return response.status_code, response.headers.get("Location", "")


def test_signed_out_people_go_to_sign_in_and_come_back(ana: User) -> None:
    path = f"{PROFILE}?a=1&b=//evil.example/"
    assert client_of(ana).get(path).status_code == 200

    assert answer(Client().get(path)) == to_login(path)
    assert answer(Client().head(path)) == to_login(path)


@pytest.mark.parametrize(
    ("referrer", "returns_to"),
    [
        ("http://testserver/rooms/general/?before=9#last", "/rooms/general/?before=9"),
        ("http://evil.example/rooms/general/", PROFILE),
        ("http://testserver//evil.example/", PROFILE),
        ("http://testserver", PROFILE),
        ("http://[", PROFILE),
        ("", PROFILE),
    ],
)
def test_a_signed_out_form_comes_back_to_the_page_it_was_on(db: None, referrer: str, returns_to: str) -> None:
    response = Client().post(PROFILE, {"name": "Ana"}, headers={"Referer": referrer})

    assert answer(response) == to_login(returns_to)


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Accept": "application/json"},
        {"Accept": "text/event-stream"},
        {"Accept": "text/html", "Sec-Fetch-Dest": "empty"},
    ],
)
def test_scripts_and_streams_get_a_401_and_no_redirect(ana: User, method: str, headers: dict[str, str]) -> None:
    assert getattr(client_of(ana), method)(PROFILE, {"name": "Ana"}, headers=headers).status_code in (200, 302)

    response = getattr(Client(), method)(PROFILE, {"name": "Ana"}, headers=headers)

    assert answer(response) == (401, "")
    assert response.json() == {"errors": {"__all__": ["Sign in first."]}}
