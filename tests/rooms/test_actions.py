from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from messaging.sidebar_reading import sidebar_rooms
from rooms import actions
from rooms.models import Event, Membership, Room
from rooms.slugs import RESERVED
from tests.cast import Ear, nothing_happens
from tests.conftest import join, leave
from tests.factories import MessageFactory, RoomFactory
from tests.rooms.logged import kinds

Role = Membership.Role
committed = pytest.mark.django_db(transaction=True)


def membership_of(user: User, room: Room) -> Membership:
    return Membership.objects.select_related("room").get(user=user, room=room)


def code_of(refused: pytest.ExceptionInfo[ValidationError]) -> str | None:
    return str(refused.value.code)


def test_creating_a_room_makes_its_owner_the_first_entry_of_its_log(owner: User) -> None:
    room = actions.create_room(name="Tea", topic="Hot", kind=Room.Kind.PUBLIC, actor=owner)
    assert (room.name, room.topic, room.slug, room.kind) == ("Tea", "Hot", "tea", "public")
    assert kinds(room) == ["membership_added"]
    mine = membership_of(owner, room)
    assert (mine.role, mine.last_read_position) == ("owner", 1)
    event = room.events.get()
    assert (event.actor, event.member, event.message) == (owner, owner, None)


@pytest.mark.parametrize("word", sorted(RESERVED))
def test_room_never_takes_an_address_that_means_something_else(owner: User, word: str) -> None:
    room = RoomFactory.create(name=word.capitalize(), actor=owner)
    assert room.slug.startswith(f"{word}-")


@pytest.mark.parametrize(
    ("name", "stem"),
    [("日本", "room"), ("---", "room"), ("Café Zürich", "cafe-zurich"), ("a" * 60, "a" * 53), ("../../etc", "etc")],
)
def test_room_has_an_address_whatever_its_name(owner: User, name: str, stem: str) -> None:
    first, second = (RoomFactory.create(name=name, actor=owner) for _ in range(2))
    assert first.slug.startswith(stem)
    assert second.slug.startswith(f"{stem}-")
    assert first.slug != second.slug
    assert len(second.slug) <= 60


def test_address_of_a_new_room_does_not_tell_that_a_private_one_has_its_name(owner: User, outsider: User) -> None:
    public = RoomFactory.create(name="Canteen", actor=owner)
    assert RoomFactory.create(name="Canteen", actor=outsider).slug != public.slug == "canteen"
    RoomFactory.create(name="Layoffs", kind=Room.Kind.PRIVATE, actor=owner)
    assert RoomFactory.create(name="Layoffs", actor=outsider).slug == "layoffs"


@committed
def test_every_change_is_heard_as_its_position_once_it_is_committed(outsider: User) -> None:
    room = RoomFactory.create()
    owner = room.memberships.get().user
    with Ear(room.channel_name) as ear:
        with transaction.atomic():
            mine = actions.join_room(room, actor=outsider)
            assert ear.heard() == []
        assert ear.heard() == ["2"]
        actions.change_role(mine, role=Role.MODERATOR, actor=owner)
        actions.update_room(room, name="Other", topic="", actor=owner)
        actions.archive_room(room, actor=owner)
        actions.restore_room(room, actor=owner)
        actions.remove_member(mine, actor=owner)
        assert ear.heard() == ["3", "4", "5", "6", "7"]
    assert kinds(room) == [
        "membership_added",
        "membership_added",
        "membership_changed",
        "room_changed",
        "room_changed",
        "room_changed",
        "membership_removed",
    ]


@committed
def test_change_that_is_rolled_back_is_never_heard(outsider: User) -> None:
    room = RoomFactory.create()
    with Ear(room.channel_name) as ear:
        with transaction.atomic():
            actions.join_room(room, actor=outsider)
            transaction.set_rollback(True)
        assert ear.heard() == []
        actions.join_room(room, actor=outsider)
        assert ear.heard() == ["2"]


@pytest.mark.parametrize(
    "change",
    [
        lambda room, owner: actions.update_room(room, name=room.name, topic=room.topic, actor=owner),
        lambda room, owner: actions.restore_room(room, actor=owner),
        lambda room, owner: actions.join_room(room, actor=owner),
        lambda room, owner: actions.change_role(membership_of(owner, room), role=Role.OWNER, actor=owner),
        lambda room, owner: actions.mark_read(membership_of(owner, room), position=0),
    ],
    ids=["same name", "not archived", "in it already", "same role", "read already"],
)
def test_change_to_what_is_so_already_writes_nothing(
    room: Room, owner: User, change: Callable[[Room, User], object]
) -> None:
    with nothing_happens():
        change(room, owner)


def test_archiving_twice_is_once(room: Room, owner: User) -> None:
    archived = actions.archive_room(room, actor=owner)
    assert archived.is_archived
    with nothing_happens():
        actions.archive_room(room, actor=owner)
    assert not actions.restore_room(room, actor=owner).is_archived
    assert kinds(room) == ["membership_added", "room_changed", "room_changed"]


@pytest.mark.parametrize(
    "change",
    [
        lambda room, owner, other: actions.update_room(room, name="Other", topic="", actor=owner),
        lambda room, owner, other: actions.join_room(room, actor=other),
        lambda room, owner, other: actions.add_member(room, member=other, actor=owner),
    ],
    ids=["rename", "join", "add"],
)
def test_archived_room_is_not_changed(
    room: Room, owner: User, outsider: User, change: Callable[[Room, User, User], object]
) -> None:
    actions.archive_room(room, actor=owner)
    with nothing_happens(), pytest.raises(ValidationError) as refused:
        change(room, owner, outsider)
    assert code_of(refused) == "archived"
    actions.restore_room(room, actor=owner)
    change(room, owner, outsider)


def test_archived_room_can_be_left(room: Room, owner: User) -> None:
    member = join(room, "member")
    actions.archive_room(room, actor=owner)
    leave(room, member)
    assert not room.memberships.filter(user=member).exists()


def test_private_room_is_entered_by_invitation_only(private_room: Room, owner: User, outsider: User) -> None:
    with nothing_happens(), pytest.raises(ValidationError):
        actions.join_room(private_room, actor=outsider)
    assert actions.add_member(private_room, member=outsider, actor=owner).role == "member"


def test_closed_account_is_not_added(room: Room, owner: User, outsider: User) -> None:
    outsider.is_active = False
    outsider.save()
    with nothing_happens(), pytest.raises(ValidationError) as refused:
        actions.add_member(room, member=outsider, actor=owner)
    assert code_of(refused) == "inactive"


def test_member_is_not_added_again(room: Room, owner: User) -> None:
    member = join(room, "member", Role.MODERATOR)
    with nothing_happens(), pytest.raises(ValidationError) as refused:
        actions.add_member(room, member=member, actor=owner)
    assert code_of(refused) == "member"


def test_last_owner_stays_one(room: Room, owner: User) -> None:
    mine = membership_of(owner, room)
    join(room, "moderator", Role.MODERATOR)
    refusals: list[Callable[[], object]] = [
        partial(actions.remove_member, mine, actor=owner),
        partial(actions.change_role, mine, role=Role.MEMBER, actor=owner),
    ]
    for refusal in refusals:
        with nothing_happens(), pytest.raises(ValidationError) as refused:
            refusal()
        assert code_of(refused) == "last_owner"
    join(room, "second", Role.OWNER)
    actions.change_role(mine, role=Role.MEMBER, actor=owner)
    actions.remove_member(mine, actor=owner)


def test_role_of_somebody_who_left_meanwhile_is_refused(room: Room, owner: User) -> None:
    member = join(room, "member")
    seen = membership_of(member, room)
    actions.change_role(seen, role=Role.MODERATOR, actor=owner)
    leave(room, member)
    with nothing_happens(), pytest.raises(ValidationError) as refused:
        actions.change_role(seen, role=Role.OWNER, actor=owner)
    assert code_of(refused) == "gone"


def test_who_comes_back_is_a_plain_member_with_nothing_unread(room: Room, owner: User) -> None:
    moderator = join(room, "moderator", Role.MODERATOR)
    leave(room, moderator)
    MessageFactory.create(room=room, author=owner)
    again = actions.join_room(room, actor=moderator)
    room.refresh_from_db()
    assert (again.role, again.last_read_position) == ("member", room.last_position)
    assert not sidebar_rooms(moderator)[0].is_unread
    assert kinds(room)[-1] == "membership_added"


def test_role_change_names_the_member_and_the_actor(room: Room, owner: User) -> None:
    member = join(room, "member")
    changed = actions.change_role(membership_of(member, room), role=Role.MODERATOR, actor=owner)
    event = room.events.latest("position")
    assert changed.is_moderator
    assert (event.kind, event.member, event.actor) == (Event.Kind.MEMBERSHIP_CHANGED, member, owner)


def test_read_position_only_grows_and_never_beyond_the_log(room: Room, owner: User) -> None:
    member = join(room, "member")
    MessageFactory.create_batch(3, room=room, author=owner)

    def read(position: int) -> int:
        actions.mark_read(membership_of(member, room), position=position)
        return membership_of(member, room).last_read_position

    assert [read(position) for position in (4, 3, 0, 10**15, 1)] == [4, 4, 4, 5, 5]
    assert kinds(room)[-1] == "message_created"


def test_rename_is_in_the_log_and_keeps_the_address(room: Room, owner: User) -> None:
    changed = actions.update_room(room, name="Galley", topic="Food", actor=owner)
    room.refresh_from_db()
    assert (changed.name, room.name, room.topic, room.slug) == ("Galley", "Galley", "Food", "kitchen")
    assert kinds(room) == ["membership_added", "room_changed"]
