"""No room is left without an owner who can run it when its owner is shut out of the site."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from accounts.audit import AuditEntry
from accounts.models import User
from accounts.site_bans import ban_from_site, lift_site_ban
from messaging.leaving import close_account, rooms_left_alone
from messaging.verify import findings
from rooms import actions
from rooms.models import Event, Membership, Role, Room
from rooms.succession import hand_over
from tests.cast import nothing_happens, together
from tests.conftest import client_of, join
from tests.factories import RoomFactory, UserFactory


@pytest.fixture
def superuser(db: None) -> User:
    return UserFactory.create(username="super", is_staff=True, is_superuser=True)


def ban(user: User, actor: User) -> Any:
    return ban_from_site(user, reason="", expires_at=None, actor=actor)


def deactivate(user: User, actor: User) -> None:
    """Untick `active` in the admin, as its form has it."""
    change_in_admin(user, actor, username="olga")


def make_guest(user: User, actor: User) -> None:
    change_in_admin(user, actor, username="olga", is_active="on", is_guest="on")


def change_in_admin(user: User, actor: User, **sent: str) -> None:
    path = reverse("admin:accounts_user_change", args=[user.pk])
    response = client_of(actor).post(path, {"name": user.name, "email": user.email, **sent})
    assert response.status_code == 302, response.context["errors"]


def roles(room: Room) -> dict[str, str]:
    return dict(Membership.objects.filter(room=room).values_list("user__username", "role"))


@pytest.mark.parametrize("shut_out", [ban, deactivate])
def test_longest_moderator_becomes_an_owner_too(any_room: Room, owner: User, superuser: User, shut_out: Any) -> None:
    for name, role in (("ana", Role.MEMBER), ("bo", Role.MODERATOR), ("cy", Role.MODERATOR)):
        join(any_room, name, role)
    shut_out(owner, superuser)
    assert not User.objects.get(pk=owner.pk).is_active
    owner.refresh_from_db()
    assert roles(any_room) == {owner.username: "owner", "ana": "member", "bo": "owner", "cy": "moderator"}
    last = Event.objects.filter(room=any_room).latest("position")
    assert (last.kind, last.actor, last.member and last.member.username) == ("membership_changed", superuser, "bo")
    assert AuditEntry.objects.filter(action="role", room_id=any_room.pk, target_id=last.member_id).exists()
    assert list(findings(Room.with_deleted.all())) == []


def test_longest_member_does_where_there_is_no_moderator_and_no_guest_ever(
    room: Room, owner: User, superuser: User
) -> None:
    for name, state in (("guest", {"is_guest": True}), ("closed", {"is_active": False}), ("ana", {}), ("bo", {})):
        User.objects.filter(pk=join(room, name).pk).update(**state)
    ban(owner, superuser)
    assert roles(room) == {"owner": "owner", "guest": "member", "closed": "member", "ana": "owner", "bo": "member"}


def test_room_with_another_owner_and_room_with_nobody_else_stay_as_they_are(
    room: Room, owner: User, superuser: User
) -> None:
    join(room, "second", Role.OWNER)
    join(room, "member")
    alone = RoomFactory.create(actor=owner)
    made = ban(owner, superuser)
    assert roles(room) == {"owner": "owner", "second": "owner", "member": "member"}
    assert roles(alone) == {"owner": "owner"}
    lift_site_ban(made, actor=superuser)
    assert client_of(owner).post(f"/rooms/{alone.slug}/archive/").status_code == 302


def test_person_who_becomes_a_guest_runs_no_room_any_more(any_room: Room, owner: User, superuser: User) -> None:
    join(any_room, "ana")
    second = RoomFactory.create(actor=UserFactory.create(username="zoe"))
    actions.add_member(second, member=owner, role=Role.MODERATOR, actor=superuser)
    alone = RoomFactory.create(actor=owner)
    make_guest(owner, superuser)
    owner.refresh_from_db()
    assert owner.is_guest
    assert roles(any_room) == {owner.username: "member", "ana": "owner"}
    assert roles(second) == {"zoe": "owner", owner.username: "member"}
    assert roles(alone) == {owner.username: "owner"}, "there is nobody else to run it"
    path = f"/rooms/{any_room.slug}/settings/"
    assert client_of(owner).get(path).status_code == 403
    assert list(findings(Room.with_deleted.all())) == []


def test_restored_room_has_an_owner_though_its_own_was_shut_out_meanwhile(
    any_room: Room, owner: User, superuser: User
) -> None:
    join(any_room, "ana")
    actions.delete_room(any_room, actor=owner)
    ban(owner, superuser)
    path = reverse("admin:rooms_deletedroom_changelist")
    client_of(superuser).post(path, {"action": "restore", "_selected_action": any_room.pk})
    assert roles(any_room) == {owner.username: "owner", "ana": "owner"}


def test_owner_who_is_shut_out_does_not_count_when_another_leaves(room: Room, owner: User, superuser: User) -> None:
    second = join(room, "second", Role.OWNER)
    ban(second, superuser)
    mine = Membership.objects.get(room=room, user=owner)
    assert [each.pk for each in rooms_left_alone(owner)] == [room.pk]
    with nothing_happens():
        for leave in (
            lambda: actions.remove_member(mine, actor=owner),
            lambda: actions.change_role(mine, role=Role.MEMBER, actor=owner),
            lambda: close_account(owner, takes_messages=False),
        ):
            with pytest.raises(ValidationError, match="needs an owner"):
                leave()
    User.objects.filter(pk=second.pk).update(is_active=True)
    actions.remove_member(mine, actor=owner)
    assert roles(room) == {"second": "owner"}


@pytest.mark.django_db(transaction=True)
def test_two_owners_shut_out_at_once_leave_the_room_to_a_member() -> None:
    superuser = UserFactory.create(username="super", is_staff=True, is_superuser=True)
    for _attempt in range(5):
        room = RoomFactory.create()
        first, second = Membership.objects.get(room=room).user, UserFactory.create()
        actions.add_member(room, member=second, role=Role.OWNER, actor=first)
        member = UserFactory.create()
        actions.add_member(room, member=member, actor=first)
        together(*(partial(ban, each, superuser) for each in (first, second)))
        assert Membership.objects.get(room=room, user=member).role == Role.OWNER


def test_nobody_gets_a_room_twice(room: Room, owner: User, superuser: User) -> None:
    join(room, "ana")
    join(room, "bo")
    for _time in range(2):
        hand_over(owner, actor=superuser)
    assert roles(room) == {"owner": "owner", "ana": "owner", "bo": "member"}
