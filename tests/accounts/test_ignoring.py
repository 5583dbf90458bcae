"""Ignoring people: for oneself alone, and nobody else learns of it."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import Ignored, User
from rooms.models import Room
from tests.cast import nothing_happens
from tests.conftest import client_of, join


@pytest.fixture
def other(room: Room) -> User:
    return join(room, "other")


def test_ignored_person_is_named_to_one_s_own_pages_and_to_nobody_else_s(room: Room, owner: User, other: User) -> None:
    client, path = client_of(owner), f"/rooms/{room.slug}/"
    assert 'data-ignored=""' in client.get(path).content.decode()
    answer = client.post("/accounts/people/other/ignore/", {"next": path})
    assert (answer.status_code, answer["Location"]) == (302, path)
    assert f'data-ignored="{other.pk}"' in client.get(path).content.decode()
    assert "@other" in client.get("/accounts/people/ignored/").content.decode()
    assert 'data-ignored=""' in client_of(other).get(path).content.decode()
    with nothing_happens():
        client.post("/accounts/people/other/ignore/")
    client.post("/accounts/people/other/stop-ignoring/")
    assert not Ignored.objects.exists()


@pytest.mark.parametrize("name", ["owner", "nobody", "a%00b"])
def test_nobody_and_oneself_can_not_be_ignored(room: Room, owner: User, other: User, name: str) -> None:
    client = client_of(owner)
    with nothing_happens():
        assert client.post(f"/accounts/people/{name}/ignore/").status_code == 404


def test_answer_leads_to_no_other_site(owner: User, other: User) -> None:
    answer = client_of(owner).post("/accounts/people/other/ignore/", {"next": "https://evil.example/"})
    assert answer["Location"] == "/accounts/people/ignored/"


def test_signed_out_people_and_wrong_methods_are_refused(owner: User, other: User) -> None:
    client = client_of(owner)
    with nothing_happens():
        assert Client().post("/accounts/people/other/ignore/").status_code == 302
        for path in ("people/other/ignore/", "people/other/stop-ignoring/"):
            assert client.get(f"/accounts/{path}").status_code == 405
        assert client.post("/accounts/people/ignored/").status_code == 405
