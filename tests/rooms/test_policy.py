"""Who may do what in a room, as its owners decide it, and what guests don't learn."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client

from accounts.models import User
from messaging.models import Mention
from rooms import actions
from rooms.models import Event, Membership, Room
from tests.cast import nothing_happens
from tests.conftest import client_of, join
from tests.factories import MessageFactory, UserFactory

Role = Membership.Role
JSON = {"Accept": "application/json"}
LEVELS = ("member", "moderator", "owner")


@pytest.fixture
def people(any_room: Room, owner: User) -> dict[str, User]:
    moderator = join(any_room, "moderator", Role.MODERATOR)
    return {"owner": owner, "moderator": moderator, "member": join(any_room, "member")}


def change(room: Room, actor: User, **policy: Any) -> Room:
    return actions.change_policy(room, actor=actor, **policy)


def post(client: Client, room: Room, text: str = "hello", client_id: str = "", **fields: str) -> Any:
    sent = {"text": text, "client_id": client_id or str(uuid.uuid4()), **fields}
    return client.post(f"/rooms/{room.slug}/messages/", sent, headers=JSON)


@pytest.mark.parametrize("level", LEVELS)
def test_only_those_write_who_may(any_room: Room, people: dict[str, User], level: str) -> None:
    change(any_room, people["owner"], who_posts=level)
    for role, person in people.items():
        client, may = client_of(person), LEVELS.index(role) >= LEVELS.index(level)
        page = client.get(f"/rooms/{any_room.slug}/").content.decode()
        assert ("<message-composer" in page, "data-refusal" in page) == (may, not may)
        if may:
            assert post(client, any_room).status_code == 201
            continue
        with nothing_happens():
            assert post(client, any_room).status_code == 403
            upload = client.post(f"/rooms/{any_room.slug}/files/?name=a.txt", b"x", content_type="text/plain")
            assert upload.status_code == 403


def test_whoever_may_not_write_any_more_may_not_edit_but_may_react(any_room: Room, people: dict[str, User]) -> None:
    message = MessageFactory.create(room=any_room, author=people["member"])
    client, path = client_of(people["member"]), f"/rooms/{any_room.slug}/messages/{message.pk}"
    assert client.post(f"{path}/edit/", {"text": "before"}, headers=JSON).status_code == 200
    change(any_room, people["owner"], who_posts="moderator")
    with nothing_happens():
        assert client.post(f"{path}/edit/", {"text": "after"}, headers=JSON).status_code == 403
    assert client.post(f"{path}/reactions/", {"emoji": "👍"}, headers=JSON).status_code == 200


@pytest.mark.parametrize("level", LEVELS)
def test_only_those_add_people_who_may(any_room: Room, people: dict[str, User], level: str) -> None:
    change(any_room, people["owner"], who_invites=level)
    for role, person in people.items():
        new = UserFactory.create()
        client, may = client_of(person), LEVELS.index(role) >= LEVELS.index(level)
        assert ('name="username"' in client.get(f"/rooms/{any_room.slug}/members/").content.decode()) == may
        answer = client.post(f"/rooms/{any_room.slug}/members/add/", {"username": new.username})
        assert (answer.status_code, any_room.memberships.filter(user=new).exists()) == (302 if may else 403, may)


@pytest.mark.parametrize("level", LEVELS)
def test_only_those_call_everybody_who_may(any_room: Room, people: dict[str, User], level: str) -> None:
    change(any_room, people["owner"], who_calls_all=level)
    for role, person in people.items():
        assert post(client_of(person), any_room, f"@room from {role}").status_code == 201
    callers = set(Mention.objects.filter(user=None).values_list("message__author__username", flat=True))
    assert callers == set(LEVELS[LEVELS.index(level) :])


def test_slow_mode_has_members_wait_and_nobody_else(any_room: Room, people: dict[str, User]) -> None:
    change(any_room, people["owner"], slow_seconds=30)
    member, other, first = client_of(people["member"]), client_of(join(any_room, "other")), str(uuid.uuid4())
    assert "Slow mode" in member.get(f"/rooms/{any_room.slug}/").content.decode()
    assert post(member, any_room, "one", first).status_code == 201
    with nothing_happens():
        answer = post(member, any_room, "two")
    assert (answer.status_code, 1 <= int(answer["Retry-After"]) <= 30) == (429, True)
    assert answer.json() == {"errors": {"__all__": ["This room is in slow mode. Wait a while between two messages."]}}
    assert post(member, any_room, "one", first).status_code == 200  # a retry is no second message
    assert post(other, any_room, "two").status_code == 201
    for _ in range(2):
        assert post(client_of(people["moderator"]), any_room, str(uuid.uuid4())).status_code == 201
    with connection.cursor() as cursor:  # the time is over
        cursor.execute("UPDATE buckets SET full_at = now() WHERE key LIKE 'slow:%%'")
    assert post(member, any_room, "two").status_code == 201


def test_policy_is_told_in_the_log_and_done_twice_changes_nothing(any_room: Room, owner: User) -> None:
    wanted = {"who_posts": "moderator", "slow_seconds": 60, "history": "joined"}
    change(any_room, owner, **wanted)
    told = Event.objects.filter(room=any_room, kind=Event.Kind.ROOM_CHANGED).order_by("position")
    assert list(told.values_list("change", flat=True)) == ["moderators_post", "slow_seconds", "history_joined"]
    with nothing_happens():
        change(any_room, owner, **wanted)
    page = client_of(owner).get(f"/rooms/{any_room.slug}/").content.decode()
    assert "lets only owners and moderators write here." in page


def test_settings_page_changes_the_policy(any_room: Room, owner: User) -> None:
    client, path = client_of(owner), f"/rooms/{any_room.slug}/policy/"
    sent = {
        "slow_seconds": "5",
        "who_posts": "owner",
        "who_invites": "member",
        "who_calls_all": "owner",
        "who_pins": "member",
    }
    with nothing_happens():
        assert client.post(path, {**sent, "history": "never"}).status_code == 400
        assert client.post(path, {**sent, "history": "full", "who_pins": "guest"}).status_code == 400
        assert client.post(path, {**sent, "history": "full", "slow_seconds": "1"}).status_code == 400
    assert client.post(path, {**sent, "history": "joined"}).status_code == 302
    assert Room.objects.get(pk=any_room.pk).policy == "owner-member-owner-member-5-joined"
    assert client.get(f"/rooms/{any_room.slug}/settings/").status_code == 200


@pytest.fixture
def guest(private_room: Room, owner: User) -> User:
    person = UserFactory.create(username="guest", is_guest=True)
    actions.add_member(private_room, member=person, actor=owner)
    return person


def test_guest_learns_of_their_own_rooms_only(room: Room, private_room: Room, guest: User, outsider: User) -> None:
    assert client_of(outsider).get(f"/rooms/{room.slug}/").status_code == 200
    client = client_of(guest)
    listed = client.get("/rooms/").content.decode()
    assert ("Vault" in listed, "Kitchen" in listed) == (True, False)
    assert client.get(f"/rooms/{private_room.slug}/").status_code == 200
    with nothing_happens():
        for path in ("", "messages/", "members/"):
            assert client.get(f"/rooms/{room.slug}/{path}").status_code == 404
        assert client.post(f"/rooms/{room.slug}/join/").status_code == 404
        assert client.post("/rooms/new/", {"name": "Mine", "topic": "", "kind": "public"}).status_code == 403
    # Naming a room does not tell whether there is one.
    assert post(client, private_room, f"see #{room.slug}").json()["html"] == f"<p>see #{room.slug}</p>"


def test_guest_is_let_into_a_public_room_by_being_added(room: Room, guest: User, owner: User) -> None:
    with pytest.raises(ValidationError):
        actions.join_room(room, actor=guest)
    actions.add_member(room, member=guest, actor=owner)
    assert client_of(guest).get(f"/rooms/{room.slug}/").status_code == 200


def test_guest_neither_runs_a_room_nor_adds_people(private_room: Room, guest: User, owner: User) -> None:
    membership = Membership.objects.get(room=private_room, user=guest)
    change(private_room, owner, who_invites="member")
    client = client_of(guest)
    with nothing_happens():
        for role in (Role.MODERATOR, Role.OWNER):
            with pytest.raises(ValidationError):
                actions.change_role(membership, role=role, actor=owner)
        answer = client.post(f"/rooms/{private_room.slug}/members/add/", {"username": "owner"})
    assert answer.status_code == 403


def test_guests_reach_no_file_of_a_public_room(room: Room, guest: User, owner: User) -> None:
    sent = client_of(owner).post(f"/rooms/{room.slug}/files/?name=a.txt", b"x", content_type="text/plain").json()
    post(client_of(owner), room, "a file", attachments=sent["id"])
    assert client_of(owner).get(sent["url"]).status_code == 200
    assert client_of(guest).get(sent["url"]).status_code == 404
