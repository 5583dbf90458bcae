from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.models import User
from messaging.actions import delete_message, edit_message, post_message
from messaging.models import Message
from messaging.sidebar_reading import sidebar_rooms
from rooms import actions
from rooms.models import Epoch, Event, Membership, OwnerLink, Room
from tests.conftest import join, leave
from tests.factories import MessageFactory, RoomFactory, UserFactory


def say(room: Room, author: User, text: str = "hello") -> Message:
    return post_message(room, author=author, text=text, client_id=uuid.uuid4()).message


def unread_by(user: User) -> set[str]:
    return {room.name for room in sidebar_rooms(user) if room.is_unread}


def test_visible_rooms_are_the_public_ones_and_ones_own(
    room: Room, private_room: Room, owner: User, outsider: User
) -> None:
    assert set(Room.objects.visible_to(owner)) == {room, private_room}
    assert set(Room.objects.visible_to(outsider)) == {room}
    actions.add_member(private_room, member=outsider, actor=owner)
    assert set(Room.objects.visible_to(outsider)) == {room, private_room}
    leave(private_room, outsider)
    assert set(Room.objects.visible_to(outsider)) == {room}


def test_current_rooms_leave_out_the_archived_ones(room: Room, private_room: Room, owner: User) -> None:
    actions.archive_room(room, actor=owner)
    assert list(Room.objects.of(owner).current()) == [private_room]


def test_member_count_counts_each_room_alone(room: Room, private_room: Room, outsider: User) -> None:
    join(room, "second")
    join(room, "third")
    counts = {each.name: each.member_count for each in Room.objects.with_members()}  # type: ignore[attr-defined]  # annotated by the query set
    assert counts == {"Kitchen": 3, "Vault": 1}
    assert {each.name for each in Room.objects.with_members().of(outsider)} == set()


def test_members_stand_in_order_of_role_then_name(room: Room) -> None:
    for username, role in (("zoe", "member"), ("bob", "moderator"), ("ann", "member"), ("ada", "owner")):
        join(room, username, role)
    usernames = [membership.user.username for membership in room.memberships.in_order()]
    assert usernames == ["ada", "owner", "bob", "ann", "zoe"]


def test_unread_is_what_others_said_after_the_read_position(room: Room, private_room: Room, owner: User) -> None:
    member = join(room, "member")
    assert unread_by(member) == set()
    message = say(room, owner)
    assert (unread_by(member), unread_by(owner)) == ({"Kitchen"}, set())
    actions.mark_read(membership_of(member, room), position=message.position - 1)
    assert unread_by(member) == {"Kitchen"}
    actions.mark_read(membership_of(member, room), position=message.position)
    assert unread_by(member) == set()


def test_ones_own_messages_edits_and_comings_are_never_unread(room: Room, owner: User) -> None:
    member = join(room, "member")
    message = say(room, owner)
    actions.mark_read(membership_of(member, room), position=message.position)
    say(room, member)
    edit_message(message, text="edited", actor=owner)
    delete_message(message, actor=owner)
    actions.update_room(room, name="Galley", topic="", actor=owner)
    join(room, "another")
    assert unread_by(member) == set()
    say(room, owner)
    assert unread_by(member) == {"Galley"}


def test_message_of_a_deleted_account_is_unread_all_the_same(room: Room, owner: User) -> None:
    member, guest = join(room, "member"), join(room, "guest")
    say(room, guest)
    guest.delete()
    assert unread_by(member) == {"Kitchen"}


def test_what_was_said_before_one_came_is_not_unread(room: Room, owner: User, outsider: User) -> None:
    say(room, owner)
    actions.join_room(room, actor=outsider)
    assert unread_by(outsider) == set()


def test_another_rooms_read_position_makes_no_difference(room: Room, private_room: Room, owner: User) -> None:
    member = join(room, "member")
    actions.add_member(private_room, member=member, actor=owner)
    for _ in range(20):
        say(private_room, owner)
    actions.mark_read(membership_of(member, private_room), position=21)
    say(room, owner)
    assert unread_by(member) == {"Kitchen", "Vault"}


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"name": ""}, "room_name_not_blank"),
        ({"slug": "vault"}, "slug"),
        ({"last_position": -1}, "last_position"),
    ],
)
def test_database_refuses_a_broken_room(room: Room, owner: User, changes: dict[str, Any], constraint: str) -> None:
    other = RoomFactory.create(name="Vault", actor=owner)
    assert other.slug == "vault"
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Room.objects.filter(pk=room.pk).update(**changes)


def test_database_refuses_a_second_membership(room: Room, owner: User) -> None:
    with pytest.raises(IntegrityError, match="membership_room_user_unique"), transaction.atomic():
        Membership.objects.create(room=room, user=owner)


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"position": 1}, "event_room_position_unique"),
        ({"position": 0}, "event_position_from_one"),
        ({"kind": "message_created"}, "event_message_by_kind"),
        ({"kind": "room_changed", "with_message": True}, "event_message_by_kind"),
    ],
)
def test_database_refuses_a_broken_log(room: Room, owner: User, changes: dict[str, Any], constraint: str) -> None:
    message = say(room, owner)
    good = {"room": room, "position": 99, "kind": "room_changed", "actor": owner}
    Event.objects.create(**good).delete()
    if changes.pop("with_message", False):
        changes = {**changes, "message": message}
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Event.objects.create(**{**good, **changes})


def test_database_keeps_the_log_when_an_account_goes(room: Room, owner: User) -> None:
    guest = join(room, "guest")
    message = say(room, guest)
    guest.delete()
    message.refresh_from_db()
    events = room.events.order_by("position")
    assert (message.author, message.text) == (None, "hello")
    assert [(event.position, event.actor, event.member) for event in events] == [
        (1, owner, owner),
        (2, None, None),
        (3, None, None),
    ]


def test_rows_name_themselves_without_what_people_wrote(room: Room, owner: User) -> None:
    message = MessageFactory.create(room=room, author=owner, text="Canary Text")
    event = room.events.get(position=message.position)
    link = OwnerLink.objects.create(token_hash="0" * 64)
    epoch = Epoch.objects.create()
    link.refresh_from_db()
    assert str(room) == "Kitchen"
    assert str(event) == f"{room.pk}:{message.position} message_created"
    assert str(message) == f"{room.pk}:{message.position}"
    assert str(membership_of(owner, room)) == "Olga Owner (Owner)"
    assert str(link).startswith("owner link of 20")
    assert str(epoch) == str(epoch.value)


def test_epoch_lasts_until_another_begins(db: None) -> None:
    first = Epoch.current()
    assert Epoch.current() == first
    assert Epoch.objects.count() == 1
    second = Epoch.objects.create()
    assert Epoch.current() == second.value.hex != first


def test_roles_may_what_they_are_for() -> None:
    may = {role: Membership(role=role) for role in Membership.Role.values}
    assert {role for role in may if may[role].is_moderator} == {"owner", "moderator"}
    assert {role for role in may if may[role].is_owner} == {"owner"}


def membership_of(user: User, room: Room) -> Membership:
    return Membership.objects.select_related("room").get(user=user, room=room)


def test_rooms_are_listed_by_name(owner: User) -> None:
    UserFactory.create()
    for name in ("b", "c", "a"):
        RoomFactory.create(name=name, actor=owner)
    assert [room.name for room in Room.objects.all()] == ["a", "b", "c"]
