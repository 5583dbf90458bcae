from __future__ import annotations

import uuid

import pytest
from django.test import Client

from accounts.models import User
from messaging.actions import post_message
from rooms.models import Membership, Room
from tests.answers import JSON, errors
from tests.bad_input import HOSTILE_FIELDS
from tests.cast import nothing_happens
from tests.conftest import client_of, join
from tests.factories import UserFactory


def test_join_and_leave(room: Room, outsider: User) -> None:
    client, path = client_of(outsider), f"/rooms/{room.slug}"
    assert client.post(f"{path}/join/")["Location"] == f"{path}/"
    assert Membership.objects.get(user=outsider).role == "member"
    with nothing_happens():
        assert client.post(f"{path}/join/").status_code == 302
    left = client.post(f"{path}/leave/", follow=True)
    assert left.redirect_chain == [("/rooms/", 302)]
    assert b"You left Kitchen." in left.content
    assert not Membership.objects.filter(user=outsider).exists()
    with nothing_happens():
        assert client.post(f"{path}/leave/").status_code == 403


@pytest.mark.parametrize("headers", [JSON, {"Accept": "text/html"}], ids=["json", "html"])
def test_last_owner_is_told_why_they_cannot_go(browser: Client, room: Room, headers: dict[str, str]) -> None:
    sentence = "A room needs an owner. Make somebody else an owner first."
    for path, sent in (("leave/", {}), ("members/owner/remove/", {}), ("members/owner/role/", {"role": "member"})):
        with nothing_happens():
            response = browser.post(f"/rooms/{room.slug}/{path}", sent, headers=headers)
        if headers is JSON:
            assert errors(response) == {"__all__": [sentence]}
        else:
            assert (response.status_code, sentence in response.content.decode()) == (400, True)
            assert f'href="/rooms/{room.slug}/members/"' in response.content.decode()


@pytest.mark.parametrize("name", ["newcomer", "@newcomer", " NewComer "])
def test_moderator_adds_somebody_by_name(room: Room, name: str) -> None:
    newcomer = UserFactory.create(username="newcomer")
    moderator = client_of(join(room, "moderator", Membership.Role.MODERATOR))
    response = moderator.post(f"/rooms/{room.slug}/members/add/", {"username": name, **HOSTILE_FIELDS})
    assert (response.status_code, response["Location"]) == (302, f"/rooms/{room.slug}/members/")
    assert Membership.objects.get(user=newcomer).role == "member"


@pytest.mark.parametrize(
    "name",
    ["nobody", "owner", "closed", "newcomer@example.org", "%", "n\u0435wcomer", "new\x00comer", "a" * 5_000, "", "@"],
)
def test_who_is_not_to_be_added_is_not(browser: Client, room: Room, name: str) -> None:
    UserFactory.create(username="closed", is_active=False)
    UserFactory.create(username="newcomer", email="newcomer@example.org")
    with nothing_happens():
        assert set(errors(browser.post(f"/rooms/{room.slug}/members/add/", {"username": name}, headers=JSON))) == {
            "username"
        }


def test_member_list_shows_no_addresses(room: Room, outsider: User) -> None:
    member = join(room, "member")
    page = client_of(outsider).get(f"/rooms/{room.slug}/members/").content.decode()
    assert ("@member" in page, member.email in page, "@example.org" in page) == (True, False, False)


def test_read_position_moves_forward_only(room: Room, owner: User) -> None:
    member = join(room, "member")
    client, path = client_of(member), f"/rooms/{room.slug}/read/"
    for text in ("a", "b"):
        post_message(room, author=owner, text=text, client_id=uuid.uuid4())
    others = Membership.objects.exclude(user=member).values_list("user", "last_read_position")
    before = list(others)

    def read(position: int) -> int:
        response = client.post(path, {"position": position, "user": owner.pk})
        assert (response.status_code, response.content) == (204, b"")
        return Membership.objects.get(user=member).last_read_position

    assert [read(position) for position in (3, 2, 0, 2**63 - 1, 3)] == [3, 3, 3, 4, 4]
    assert list(others.all()) == before


def test_members_are_named_by_the_beginning_of_their_names(room: Room, owner: User) -> None:
    for number in range(10):
        join(room, f"many{number}")
    User.objects.filter(username="many1").update(name="Ada von Ende")
    client = client_of(join(room, "zoe"))

    def named(begins: str) -> list[str]:
        path = f"/rooms/{room.slug}/members/"
        response = client.get(path, {"begins": begins}, headers={"Accept": "application/json"})
        assert response.status_code == 200
        return [each["username"] for each in response.json()["members"]]

    assert named("ZO") == ["zoe"]
    assert named("ende") == named("ada") == ["many1"]
    assert named("oe") == named("%") == named("_") == named("\0%") == []
    assert named("many") == [f"many{number}" for number in range(8)]
    assert named("")[0] == "owner"
