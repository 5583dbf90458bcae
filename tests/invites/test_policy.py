"""Who may add people to a room is who may make links to it, and a link is good for no longer than its maker may."""

from __future__ import annotations

import pytest

from accounts.models import User
from invites.access import good_invite, inviting_rooms
from invites.actions import accept_invite
from invites.models import Invite
from rooms import actions
from rooms.models import Membership, Room
from tests.conftest import client_of, join
from tests.factories import UserFactory
from tests.invites.making import LIST, invited, make

RANK = ["member", "moderator", "owner"]
CELLS = [(role, policy) for role in RANK for policy in RANK]


@pytest.mark.parametrize(("role", "policy"), CELLS)
def test_links_are_made_by_whom_the_room_lets_add_people(
    private_room: Room, owner: User, role: str, policy: str
) -> None:
    person = join(private_room, "person", role)
    actions.change_policy(private_room, actor=owner, who_invites=policy)
    may, browser = RANK.index(role) >= RANK.index(policy), client_of(person)
    added = browser.post(f"/rooms/{private_room.slug}/members/add/", {"username": UserFactory.create().username})
    assert (added.status_code == 302) == may  # by hand, as by a link
    assert ("Vault" in browser.get(LIST).content.decode().partition("<main")[2]) == may
    assert make(browser, private_room).status_code == (200 if may else 400)
    assert Invite.objects.count() == may


@pytest.mark.parametrize(("role", "policy"), CELLS)
def test_link_dies_as_the_policy_takes_its_maker_the_right(
    private_room: Room, owner: User, outsider: User, role: str, policy: str
) -> None:
    actions.change_policy(private_room, actor=owner, who_invites="member")
    maker = join(private_room, "maker", role)
    invite, path = invited(private_room, by=maker)
    browser = client_of(outsider)
    assert browser.get(path).status_code == 200
    actions.change_policy(private_room, actor=owner, who_invites=policy)
    may = RANK.index(role) >= RANK.index(policy)
    assert Invite.objects.good().filter(pk=invite.pk).exists() == may
    assert [browser.get(path).status_code, browser.post(path).status_code] == ([200, 302] if may else [404, 404])
    assert Membership.objects.filter(room=private_room, user=outsider).exists() == may


def test_guest_makes_no_links_whatever_the_room_says(private_room: Room, owner: User, outsider: User) -> None:
    actions.change_policy(private_room, actor=owner, who_invites="member")
    maker = join(private_room, "maker")
    invite, path = invited(private_room, by=maker)
    assert [good_invite(invite.token_hash), *inviting_rooms(maker)] == [invite, private_room]
    User.objects.filter(pk=maker.pk).update(is_guest=True)
    maker.refresh_from_db()
    assert list(inviting_rooms(maker)) == []
    assert make(client_of(maker), private_room).status_code == 400
    assert client_of(outsider).post(path).status_code == 404


def test_link_lives_again_with_its_makers_right(private_room: Room, owner: User, outsider: User) -> None:
    """Nothing is written when a right ends: what counts is the right of the moment at which the link is used."""
    maker = join(private_room, "maker", "moderator")
    invite, path = invited(private_room, by=maker)
    for policy, status in (("owner", 404), ("moderator", 200)):
        actions.change_policy(private_room, actor=owner, who_invites=policy)
        assert client_of(outsider).get(path).status_code == status
    assert list(accept_invite(invite.token_hash, actor=outsider)) == [private_room]
