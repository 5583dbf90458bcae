"""The doors to a room, and whom one may do something about. Who may what is in tests/authorization.yaml."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404

from rooms import access
from rooms.models import Membership
from tests.cast import CAST, make_scene, nothing_happens, undone
from tests.conftest import client_of, join
from tests.factories import RoomFactory

JSON = {"Accept": "application/json"}


def test_message_of_another_room_is_not_found_under_this_one(db: None) -> None:
    scene = make_scene("private")
    member = scene.people["member"]
    other = RoomFactory.create(actor=member).slug
    client = client_of(member)
    for action in ("edit", "delete", "reactions", "forward"):
        right = f"/rooms/{scene.room.slug}/messages/{scene.message.pk}/{action}/"
        wrong = f"/rooms/{other}/messages/{scene.message.pk}/{action}/"
        assert client.post(right, {"text": "x"}).status_code in {400, 403}
        with nothing_happens():
            response = client.post(wrong, {"text": "x"})
        assert (response.status_code, b"Canary Text" in response.content) == (404, False)


def test_moderators_remove_members_only_and_owners_anybody(db: None) -> None:
    scene = make_scene("private")
    join(scene.room, "moderator2", Membership.Role.MODERATOR)
    answers = {}
    for role in ("moderator", "owner"):
        for username in ("bystander", "moderator2", "owner", "nobody"):
            with undone():
                path = f"/rooms/{scene.room.slug}/members/{username}/remove/"
                answers[role, username] = scene.client(role).post(path).status_code
    assert answers == {
        ("moderator", "bystander"): 302,
        ("moderator", "moderator2"): 403,
        ("moderator", "owner"): 403,
        ("moderator", "nobody"): 404,
        ("owner", "bystander"): 302,
        ("owner", "moderator2"): 302,
        ("owner", "owner"): 400,
        ("owner", "nobody"): 404,
    }


def test_person_who_is_here_but_not_in_the_room_is_not_found_among_its_members(db: None) -> None:
    scene = make_scene("public")
    owner = scene.client("owner")
    for username in ("outsider", "former", "newcomer", "a\0b", "%", "\u0130"):
        with nothing_happens():
            response = owner.post(f"/rooms/{scene.room.slug}/members/{quote(username)}/remove/")
        assert response.status_code == 404


@pytest.mark.parametrize("role", CAST[:3])
def test_doors_open_by_role(db: None, role: str) -> None:
    scene = make_scene("private")
    user, slug = scene.people[role], scene.room.slug
    assert access.visible_room(user, slug)[0] == scene.room
    assert access.joined_room(user, slug).role == role
    for door, roles in ((access.moderated_room, {"owner", "moderator"}), (access.owned_room, {"owner"})):
        if role in roles:
            assert door(user, slug).room == scene.room
        else:
            with pytest.raises(PermissionDenied):
                door(user, slug)


@pytest.mark.parametrize("door", [access.visible_room, access.joined_room, access.moderated_room, access.owned_room])
@pytest.mark.parametrize("role", ["outsider", "former_member"])
def test_doors_of_a_private_room_are_not_there_for_strangers(db: None, role: str, door: Callable[..., Any]) -> None:
    scene = make_scene("private")
    door(scene.people["owner"], scene.room.slug)
    with pytest.raises(Http404):
        door(scene.people[role], scene.room.slug)


def test_closed_account_is_signed_out_everywhere(db: None) -> None:
    scene = make_scene("private")
    client = scene.client("member")
    path = f"/rooms/{scene.room.slug}/"
    assert client.get(path).status_code == 200
    scene.people["member"].is_active = False
    scene.people["member"].save()
    response = client.get(path)
    assert (response.status_code, response["Location"]) == (302, f"/accounts/login/?next={path}")
    assert client.get(path, headers=JSON).status_code == 401
