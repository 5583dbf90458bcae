from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from rooms import actions, log
from rooms.models import Membership, Room
from tests.cast import together
from tests.factories import MembershipFactory, MessageFactory, RoomFactory, UserFactory
from tests.rooms.logged import kinds

Role = Membership.Role


committed = pytest.mark.django_db(transaction=True)


@committed
def test_rooms_of_one_name_made_at_the_same_instant_get_an_address_each() -> None:
    people = UserFactory.create_batch(6)
    rooms = together(
        *(partial(actions.create_room, name="Tea", topic="", kind="public", actor=person) for person in people)
    )
    assert len({room.slug for room in rooms}) == len({room.channel_name for room in rooms}) == 6


@committed
def test_two_owners_who_leave_at_the_same_instant_do_not_both_go() -> None:
    for leaves in (actions.remove_member, partial(actions.change_role, role=Role.MEMBER)):
        room = RoomFactory.create()
        MembershipFactory.create(room=room, role=Role.OWNER)

        def go(mine: Membership, leaves: Callable[..., object] = leaves) -> bool:
            try:
                leaves(mine, actor=mine.user)
            except ValidationError:
                return False
            return True

        owners = list(room.memberships.select_related("room", "user"))
        assert sorted(together(*(partial(go, mine) for mine in owners))) == [False, True]
        assert room.memberships.filter(role=Role.OWNER).count() == 1


@committed
def test_removal_at_the_same_instant_is_one_event() -> None:
    mine = MembershipFactory.create()
    together(*(partial(actions.remove_member, mine, actor=mine.user) for _ in range(4)))
    assert kinds(mine.room) == ["membership_added", "membership_added", "membership_removed"]


@committed
def test_joining_at_the_same_instant_is_one_membership(outsider: User) -> None:
    room = RoomFactory.create()
    mine = together(*(partial(actions.join_room, room, actor=outsider) for _ in range(6)))
    assert len({membership.pk for membership in mine}) == 1
    assert kinds(room) == ["membership_added", "membership_added"]


@committed
def test_changes_of_all_kinds_at_once_leave_no_gap() -> None:
    room = RoomFactory.create()
    owner = room.memberships.get().user
    people = UserFactory.create_batch(3)
    changes: list[Callable[[], object]] = [partial(actions.join_room, room, actor=person) for person in people]
    changes += [partial(actions.update_room, room, name=f"Room {n}", topic="", actor=owner) for n in range(2)]
    changes += [partial(MessageFactory.create, room=room, author=owner) for _ in range(3)]
    together(*changes)
    assert len(kinds(room)) == 1 + len(changes)


@committed
def test_positions_are_given_out_under_the_rooms_lock() -> None:
    room = RoomFactory.create()
    with transaction.atomic():
        log.lock(room)
        (is_free,) = together(partial(_can_lock, room))
    assert not is_free
    (is_free,) = together(partial(_can_lock, room))
    assert is_free


def _can_lock(room: Room) -> bool:
    with transaction.atomic():
        return Room.objects.select_for_update(skip_locked=True).filter(pk=room.pk).exists()
