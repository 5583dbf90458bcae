from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.conftest import client_of
from tests.factories import UserFactory

PROFILE = reverse("accounts:profile")
LANGUAGE = reverse("accounts:language")


@pytest.fixture
def ana(db: None) -> User:
    return UserFactory.create(username="ana")


@pytest.mark.parametrize(
    ("asked", "language"),
    [("de", "de"), ("de-AT,de;q=0.9,en;q=0.8", "de"), ("fr,en;q=0.5", "en"), ("fr", "en"), ("", "en"), ("*", "en")],
)
@pytest.mark.usefixtures("db")
def test_browser_decides_as_long_as_nobody_has(asked: str, language: str) -> None:
    page = Client(headers={"Accept-Language": asked}).get(reverse("account_login")).content.decode()

    assert f'<html lang="{language}" dir="ltr">' in page
    assert {"de": "Anmelden", "en": "Sign in"}[language] in page


def test_chosen_language_goes_before_the_browsers(ana: User) -> None:
    client = client_of(ana)
    assert "Your profile" in client.get(PROFILE, headers={"Accept-Language": "en"}).content.decode()

    answer = client.post(LANGUAGE, {"language": "de"}, headers={"Accept-Language": "en"}, follow=True)

    assert answer.redirect_chain == [(PROFILE, 302)]
    assert "Deine Sprache wurde geändert." in answer.content.decode()
    assert '<option value="de" selected>Deutsch</option>' in answer.content.decode()
    assert "Dein Profil" in client.get(PROFILE, headers={"Accept-Language": "en"}).content.decode()


def test_language_is_left_to_the_browser_again(ana: User) -> None:
    User.objects.filter(pk=ana.pk).update(language="de")
    client = client_of(ana)
    assert "Dein Profil" in client.get(PROFILE, headers={"Accept-Language": "en"}).content.decode()

    client.post(LANGUAGE, {"language": ""}, headers={"Accept-Language": "en"})

    assert "Your profile" in client.get(PROFILE, headers={"Accept-Language": "en"}).content.decode()


@pytest.mark.parametrize("language", ["fr", "DE", "de\0", "x" * 500])
def test_language_that_is_not_ours_is_refused(ana: User, language: str) -> None:
    answer = client_of(ana).post(LANGUAGE, {"language": language})

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["language"]
    ana.refresh_from_db()
    assert ana.language == ""


def test_language_that_we_no_longer_have_is_none(ana: User) -> None:
    User.objects.filter(pk=ana.pk).update(language="tlh")

    assert '<html lang="en"' in client_of(ana).get(PROFILE).content.decode()


def test_language_of_somebody_signed_out_can_not_be_changed(db: None) -> None:
    assert Client().post(LANGUAGE, {"language": "de"}).status_code == 302
    assert Client().get(LANGUAGE).status_code == 405


def test_refusals_are_in_the_readers_language(ana: User) -> None:
    User.objects.filter(pk=ana.pk).update(language="de")

    answer = client_of(ana).get("/rooms/nothing-here/", headers={"Accept": "application/json"})

    assert answer.json() == {"errors": {"__all__": ["Hier ist nichts."]}}


def test_language_costs_no_query_of_its_own(ana: User, django_assert_num_queries: Any) -> None:
    client = client_of(ana)
    client.get(PROFILE)  # the first page of all sets the CSRF cookie

    with django_assert_num_queries(3):  # the session, the person, their rooms
        client.get(PROFILE)
    with django_assert_num_queries(0):
        Client().get(reverse("healthz"))
