from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import Http404
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from invites.access import hash_of
from invites.actions import accept_invite, make_invite, revoke_invite
from invites.models import Invite
from rooms import actions, moderation
from rooms.models import Event, Membership, Room
from tests.cast import nothing_happens, together
from tests.conftest import client_of, join, leave
from tests.factories import RoomFactory, UserFactory
from tests.invites.making import invited

PLACES = 7
TRYING = 18  # at once: the test has as many connections
LINKS = 100
GUESSES = 1_000_000 if os.environ.get("EARSHOT_TRUST_INPUTS") == "all" else 20_000
GUESSES_AT_ONCE = 10_000


def members(room: Room) -> set[str]:
    return set(room.memberships.values_list("user__username", flat=True))


def test_link_lets_somebody_in_to_the_rooms_it_names(private_room: Room, owner: User, outsider: User) -> None:
    other = RoomFactory.create(name="Cellar", kind=Room.Kind.PRIVATE, actor=owner)
    invite, path = invited(private_room, other, by=owner)
    browser = client_of(outsider)
    page = browser.get(path).content.decode()
    assert "Vault" in page
    assert "Cellar" in page
    assert "outsider" not in members(private_room)

    response = browser.post(path)

    assert (response.status_code, response["Location"]) == (302, reverse("rooms:directory"))
    assert {"owner", "outsider"} == members(private_room) == members(other)
    invite.refresh_from_db()
    assert invite.uses == 1
    added = Event.objects.get(room=other, member=outsider)
    assert (added.kind, added.actor) == (Event.Kind.MEMBERSHIP_ADDED, owner)


def test_link_to_one_room_leads_into_it_and_counts_a_person_once(any_room: Room, owner: User, outsider: User) -> None:
    invite, path = invited(any_room, by=owner, max_uses=2)
    for _again in range(2):
        response = client_of(outsider).post(path)
        assert response["Location"] == reverse("messaging:room", args=[any_room.slug])
    invite.refresh_from_db()
    assert invite.uses == 1


def test_link_keeps_the_role_of_whoever_is_inside(room: Room, owner: User) -> None:
    invite, path = invited(room, by=owner)
    client_of(owner).post(path)
    invite.refresh_from_db()
    assert invite.uses == 0
    assert room.memberships.get(user=owner).role == Membership.Role.OWNER


@pytest.mark.django_db(transaction=True)
def test_no_more_get_in_than_the_limit_says() -> None:
    owner = UserFactory.create()
    room = RoomFactory.create(kind=Room.Kind.PRIVATE, actor=owner)
    invite, _path = invited(room, by=owner, max_uses=PLACES)
    people = [UserFactory.create() for _ in range(TRYING)]

    def attempt(person: User) -> str:
        try:
            accept_invite(invite.token_hash, actor=person)
        except Http404:
            return "refused"
        return "in"

    answers = together(*((lambda person=person: attempt(person)) for person in people))

    assert sorted(answers) == ["in"] * PLACES + ["refused"] * (TRYING - PLACES)
    invite.refresh_from_db()
    assert (invite.uses, room.memberships.count()) == (PLACES, PLACES + 1)


def expire(invite: Invite) -> None:
    Invite.objects.filter(pk=invite.pk).update(expires_at=timezone.now() - timedelta(seconds=1))


def use_up(invite: Invite) -> None:
    Invite.objects.filter(pk=invite.pk).update(max_uses=3, uses=3)


def close_account(invite: Invite) -> None:
    User.objects.filter(pk=invite.maker_id).update(is_active=False)


def demote(invite: Invite) -> None:
    theirs = Membership.objects.get(room=invite.rooms.get(), user=invite.maker)
    actions.change_role(theirs, role=Membership.Role.MEMBER, actor=invite.maker)


def remove(invite: Invite) -> None:
    leave(invite.rooms.get(), invite.maker)


def delete_room(invite: Invite) -> None:
    actions.delete_room(invite.rooms.get(), actor=invite.maker)


def archive_room(invite: Invite) -> None:
    actions.archive_room(invite.rooms.get(), actor=invite.maker)


def swap_room(invite: Invite) -> None:
    """Have it name a room that its maker has nothing to say in."""
    invite.rooms.set([RoomFactory.create(name="Not theirs")])


def purge_room(invite: Invite) -> None:
    """Take the room out altogether, as the clearing of old deletions does."""
    invite.rooms.clear()


REASONS = [
    expire,
    use_up,
    revoke_invite,
    close_account,
    demote,
    remove,
    delete_room,
    archive_room,
    swap_room,
    purge_room,
]


def told(response: Any) -> tuple[int, list[tuple[str, str]], bytes]:
    body = re.sub(rb'(csrfmiddlewaretoken" value|csrf-token" content)="\w{64}"', rb"\1", response.content)
    return response.status_code, sorted(response.headers.items()), body


@pytest.mark.parametrize("spoil", REASONS)
def test_link_that_is_good_no_more_can_not_be_told_from_one_that_never_was(
    private_room: Room, outsider: User, spoil: Callable[[Invite], None]
) -> None:
    maker = join(private_room, "maker", Membership.Role.MODERATOR)
    invite, path = invited(private_room, by=maker)
    never = reverse("invites:invite", args=["x" * 32])
    for client in (client_of(outsider), Client()):
        assert client.get(path).status_code == 200
    spoil(invite)
    for client in (client_of(outsider), Client()):
        client.get("/accounts/login/")
        with nothing_happens():
            answers = [
                told(client.get(path)),
                told(client.post(path)),
                told(client.get(never)),
                told(client.post(never)),
            ]
        assert {repr(answer) for answer in answers} == {repr(answers[0])}
        assert (answers[0][0], b"Vault" in answers[0][2]) == (404, False)


@pytest.mark.parametrize("token", ["", "x", "a" * 31, "%00", "%F0%9F%94%91", "..", "a" * 4_000])
def test_guesses_are_not_found(room: Room, owner: User, token: str) -> None:
    _invite, path = invited(room, by=owner)
    for guess in (f"/invite/{token}/", path[:-2] + "/", path[:-1] + "x/", path.replace("/invite/", "/invite/x")):
        assert Client().get(guess).status_code == 404


def test_guesses_of_the_right_form_find_none_of_many_links(room: Room, owner: User) -> None:
    """Asked as a visit asks, only many at once. What would be found is: one of the links is among the last ones."""
    lasts = timedelta(days=1)
    links = [make_invite(rooms=[room], lasts=lasts, max_uses=None, actor=owner)[1] for _ in range(LINKS)]
    guessed = 0
    while guessed < GUESSES:
        some = [secrets.token_urlsafe(len(links[0]) * 3 // 4) for _ in range(GUESSES_AT_ONCE)]
        assert {len(guess) for guess in some} == {len(link) for link in links}
        assert not Invite.objects.good().filter(token_hash__in=map(hash_of, some)).exists()
        guessed += len(some)
    assert Invite.objects.good().filter(token_hash__in=map(hash_of, [*some, links[-1]])).count() == 1


def test_only_a_hash_of_the_link_is_kept(room: Room, owner: User) -> None:
    _invite, path = invited(room, by=owner)
    token = path.split("/")[2]
    assert len(token) >= 32  # 192 bits
    with connection.cursor() as cursor:
        cursor.execute("SELECT invites_invite::text FROM invites_invite")
        assert [row for row in cursor.fetchall() if token in row[0]] == []


def test_ban_holds_against_a_link(private_room: Room, owner: User, outsider: User) -> None:
    other = RoomFactory.create(name="Cellar", kind=Room.Kind.PRIVATE, actor=owner)
    moderation.ban(private_room, user=outsider, reason="", expires_at=None, actor=owner)
    _invite, path = invited(private_room, by=owner)
    assert client_of(outsider).post(path).status_code == 403
    _invite, path = invited(private_room, other, by=owner)
    assert client_of(outsider).post(path).status_code == 302
    assert members(private_room) == {"owner"}
    assert members(other) == {"owner", "outsider"}


def test_room_in_which_the_maker_has_lost_the_right_is_left_out(private_room: Room, outsider: User) -> None:
    maker = join(private_room, "maker", Membership.Role.MODERATOR)
    own = RoomFactory.create(name="Own", kind=Room.Kind.PRIVATE, actor=maker)
    _invite, path = invited(private_room, own, by=maker)
    leave(private_room, maker)
    assert "Vault" not in client_of(outsider).get(path).content.decode()
    client_of(outsider).post(path)
    assert (members(private_room), members(own)) == ({"owner"}, {"maker", "outsider"})


def test_names_in_an_invitation_are_text(owner: User) -> None:
    User.objects.filter(pk=owner.pk).update(name="<b>Olga</b>")
    owner.refresh_from_db()
    _invite, path = invited(RoomFactory.create(name="<i>Kitchen</i>", actor=owner), by=owner)
    page = Client().get(path).content.decode()
    assert ("<b>Olga" in page, "<i>Kitchen" in page) == (False, False)
    assert "&lt;i&gt;Kitchen&lt;/i&gt;" in page
