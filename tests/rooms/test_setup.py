from __future__ import annotations

import re
from functools import partial
from typing import Any

import pytest
from django.test import Client
from django.utils.crypto import get_random_string

from accounts.models import User
from messaging.models import Message
from rooms.models import Event, Membership, OwnerLink, Room
from rooms.setup import owner_link_path
from tests.cast import nothing_happens, together
from tests.conftest import client_of
from tests.factories import UserFactory

JSON = {"Accept": "application/json"}
OWNER = {"name": "Olga Owner", "email": "olga@example.org", "password": "seven green bicycles"}


@pytest.fixture
def path(db: None) -> str:
    found = owner_link_path()
    assert found
    return found


def test_owner_link_makes_the_owner_and_the_first_room(path: str) -> None:
    browser = Client()
    page = browser.get(path)
    assert (page.status_code, b"Welcome to your Earshot" in page.content) == (200, True)
    response = browser.post(path, {**OWNER, "is_superuser": "", "username": "root", "role": "member"})
    owner, room = User.objects.get(), Room.objects.get()
    assert (response.status_code, response["Location"]) == (302, "/rooms/general/")
    assert (owner.name, owner.email, owner.is_superuser, owner.is_staff) == (
        "Olga Owner",
        "olga@example.org",
        True,
        True,
    )
    assert owner.check_password(OWNER["password"])
    assert (room.name, room.kind) == ("General", "public")
    assert [(each.user, each.role) for each in Membership.objects.all()] == [(owner, "owner")]
    assert browser.get("/rooms/general/").status_code == 200
    assert not OwnerLink.objects.exists()


def test_owner_link_is_long_random_and_kept_as_a_hash_only(path: str) -> None:
    token = path.split("/")[-2]
    again = owner_link_path()
    assert re.fullmatch(r"/setup/[\w-]{43}/", path)  # 256 bits
    assert again != path
    assert token not in str(list(OwnerLink.objects.values_list()))
    assert Client().get(path).status_code == 404
    assert Client().get(str(again)).status_code == 200


def test_owner_link_works_once(path: str) -> None:
    assert Client().post(path, OWNER).status_code == 302
    clients = (Client(), client_of(User.objects.get()))
    with nothing_happens():
        for client in clients:
            assert client.get(path).status_code == 404
            assert client.post(path, {**OWNER, "email": "eve@example.org"}).status_code == 404
    assert owner_link_path() is None


@pytest.mark.django_db(transaction=True)
def test_five_people_with_the_link_at_once_make_one_owner() -> None:
    path = str(owner_link_path())

    def open_site(number: int) -> int:
        sent = {**OWNER, "name": f"Person {number}", "email": f"person{number}@example.org"}
        return Client().post(path, sent).status_code

    assert sorted(together(*(partial(open_site, number) for number in range(5)))) == [302, 404, 404, 404, 404]
    assert [user.is_superuser for user in User.objects.all()] == [True]
    assert (Room.objects.count(), Membership.objects.count(), Event.objects.count()) == (1, 1, 1)


@pytest.mark.parametrize("headers", [JSON, {"Accept": "text/html"}], ids=["json", "html"])
def test_wrong_token_and_used_one_and_no_page_at_all_are_the_same(path: str, headers: dict[str, str]) -> None:
    def answers() -> set[tuple[int, bytes, str]]:
        wrong = [path[:-2] + "/", path[:-1] + "x/", path.lower(), "/setup/x/", f"/setup/{get_random_string(43)}/"]
        wrong += ["/setup/", "/setup/a%00b/", "/setup/" + "x" * 5_000 + "/", "/setup/%ff/", "/nothing-at-all/"]
        found: list[Any] = [Client().get(each, headers=headers) for each in wrong]
        found += [Client().post(each, OWNER, headers=headers) for each in wrong]
        return {(each.status_code, each.content, str(sorted(each.headers.items()))) for each in found}

    assert Client().get(path).status_code == 200
    with nothing_happens():
        before = answers()
    Client().post(path, OWNER)
    assert before == answers()
    assert [status for status, _, _ in before] == [404]


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"password": ""}, {"password"}),
        ({"password": "ninechars"}, {"password"}),
        ({"password": "1234567890"}, {"password"}),
        ({"password": "password123"}, {"password"}),
        ({"password": "olga@example.org"}, {"password"}),
        ({"password": "Olga Owner"}, {"password"}),
        ({"password": "a" * 257}, {"password"}),
        ({"password": "a\x00bcdefghijk"}, {"password"}),
        ({"email": ""}, {"email"}),
        ({"email": "olga"}, {"email"}),
        ({"email": "olga@example.org\r\nBcc: x@x.example"}, {"email"}),
        ({"email": "ol\x00ga@example.org"}, {"email"}),
        ({"name": ""}, {"name"}),
        ({"name": "\u200b"}, {"name"}),
        ({"name": "a\u202eb"}, {"name"}),
        ({"name": "a" * 41}, {"name"}),
        ({"name": "", "email": "", "password": ""}, {"name", "email", "password"}),
    ],
)
def test_bad_owner_is_refused_and_the_link_stays_good(path: str, changes: dict[str, str], fields: set[str]) -> None:
    with nothing_happens():
        response = Client().post(path, {**OWNER, **changes}, headers=JSON)
        page = Client().post(path, {**OWNER, **changes})
    assert (response.status_code, set(response.json()["errors"])) == (400, fields)
    assert page.status_code == 400
    assert OWNER["password"] not in page.content.decode()
    assert Client().post(path, OWNER).status_code == 302


def test_form_with_nothing_in_it_says_what_is_missing(path: str) -> None:
    with nothing_happens():
        response = Client().post(path, headers=JSON)
    assert set(response.json()["errors"]) == {"name", "email", "password"}


@pytest.mark.parametrize(("field", "taken"), [("email", "OLGA@example.org"), ("name", "olga  OWNER")])
def test_owner_takes_nobodys_address_or_name(path: str, field: str, taken: str) -> None:
    UserFactory.create(name=OWNER["name"], email=OWNER["email"])
    other = {"name": "Somebody", "email": "some@example.org"}
    with nothing_happens():
        response = Client().post(path, {**OWNER, **other, field: taken}, headers=JSON)
    assert (response.status_code, set(response.json()["errors"])) == (400, {field})
    assert Client().post(path, {**OWNER, **other}).status_code == 302


def test_password_keeps_its_spaces_and_script(path: str) -> None:
    password = "  пароль 🚲 with spaces  "
    Client().post(path, {**OWNER, "password": password})
    assert User.objects.get().check_password(password)
    assert not User.objects.get().check_password(password.strip())


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_wrong_method_is_refused_for_good_and_bad_links(path: str, method: str) -> None:
    for each in (path, "/setup/x/"):
        response = Client().generic(method, each)
        assert (response.status_code, response["Allow"]) == (405, "GET, HEAD, POST")


def test_site_with_an_owner_gives_out_no_link(path: str) -> None:
    UserFactory.create(is_superuser=True)
    assert owner_link_path() is None
    with nothing_happens():
        assert Client().post(path, OWNER).status_code == 404
    assert not Message.objects.exists()
