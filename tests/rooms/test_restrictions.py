"""Mutes and the raid switch: who may only read, where, and for how long."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.audit import AuditEntry
from accounts.models import User
from messaging.actions import post_message
from messaging.models import Message
from project.address import coarse
from rooms import actions, moderation
from rooms.models import Event, Membership, Mute, Raid, Room
from tests.cast import nothing_happens
from tests.conftest import client_of, join
from tests.factories import MessageFactory, RoomFactory, UserFactory

JSON = {"Accept": "application/json"}


@pytest.fixture
def member(any_room: Room) -> User:
    person = join(any_room, "member")
    MessageFactory.create(room=any_room, author=person)
    return person


def writings(client: Client, room: Room) -> list[int]:
    """Return what every way to write in a room is answered."""
    message = Message.objects.filter(room=room).earliest("position")
    path, one = f"/rooms/{room.slug}", f"/rooms/{room.slug}/messages/{message.pk}"
    posted = {"text": str(uuid.uuid4()), "client_id": str(uuid.uuid4())}
    forwarded = {"room": room.slug, "client_id": str(uuid.uuid4())}
    return [
        client.post(f"{path}/messages/", posted, headers=JSON).status_code,
        client.post(f"{one}/edit/", {"text": str(uuid.uuid4())}, headers=JSON).status_code,
        client.post(f"{one}/reactions/", {"emoji": "👍"}, headers=JSON).status_code,
        client.post(f"{one}/forward/", forwarded, headers=JSON).status_code,
        client.post(f"{path}/files/?name=a", b"x", content_type="text/plain").status_code,
    ]


FREE, SILENT = [201, 200, 200, 200, 201], [403] * 5


def test_muted_person_reads_and_does_not_write_until_it_is_lifted(any_room: Room, owner: User, member: User) -> None:
    client, boss = client_of(member), client_of(owner)
    assert writings(client, any_room) == FREE
    path = f"/rooms/{any_room.slug}/members/member"
    assert boss.get(f"{path}/mute/").status_code == 200
    assert boss.post(f"{path}/mute/", {"duration": "hour", "reason": "Shouting"}).status_code == 302
    with nothing_happens():
        assert writings(client, any_room) == SILENT
        page = client.get(f"/rooms/{any_room.slug}/")
    assert (page.status_code, "<message-composer" in page.content.decode()) == (200, False)
    assert "Shouting" in boss.get(f"/rooms/{any_room.slug}/members/").content.decode()
    assert boss.post(f"{path}/unmute/").status_code == 302
    assert writings(client, any_room) == FREE
    told = Event.objects.filter(room=any_room, kind=Event.Kind.MEMBERSHIP_CHANGED).order_by("position")
    assert list(told.values_list("change", "member")) == [("muted", member.pk), ("unmuted", member.pk)]


def test_moderator_who_is_muted_by_an_owner_is_let_write_by_an_owner_alone(any_room: Room, owner: User) -> None:
    muted, other = (join(any_room, name, role=Membership.Role.MODERATOR) for name in ("muted", "other"))
    path = f"/rooms/{any_room.slug}/members/muted"
    assert client_of(owner).post(f"{path}/mute/", {"duration": "hour", "reason": ""}).status_code == 302
    moderators = [client_of(person) for person in (muted, other)]
    with nothing_happens():
        assert [each.post(f"{path}/unmute/", headers=JSON).status_code for each in moderators] == [403, 403]
    assert client_of(owner).post(f"{path}/unmute/").status_code == 302
    post_message(any_room, author=muted, text="back again", client_id=uuid.uuid4())


def test_mute_ends_by_itself(any_room: Room, owner: User, member: User) -> None:
    until = timezone.now() + timedelta(hours=1)
    made = moderation.mute(any_room, user=member, reason="", expires_at=until, actor=owner)
    client = client_of(member)
    assert writings(client, any_room) == SILENT
    Mute.objects.filter(pk=made.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert writings(client, any_room) == FREE


def test_mute_outlives_leaving_and_holds_in_that_room_only(room: Room, owner: User) -> None:
    member, other = join(room, "someone"), RoomFactory.create(actor=owner)
    moderation.mute(room, user=member, reason="", expires_at=None, actor=owner)
    client = client_of(member)
    for each in (room, other):
        client.post(f"/rooms/{each.slug}/leave/")
        client.post(f"/rooms/{each.slug}/join/")
    sent = {"text": "x", "client_id": str(uuid.uuid4())}
    assert client.post(f"/rooms/{room.slug}/messages/", sent, headers=JSON).status_code == 403
    assert client.post(f"/rooms/{other.slug}/messages/", sent, headers=JSON).status_code == 201


def test_mute_of_the_site_holds_everywhere_also_for_owners(any_room: Room, owner: User, member: User) -> None:
    staff = UserFactory.create(is_superuser=True, is_staff=True)
    made = moderation.mute_everywhere(user=member, reason="", expires_at=None, actor=staff)
    own = RoomFactory.create(actor=member)
    MessageFactory.create(room=own, author=owner)
    client = client_of(member)
    assert writings(client, any_room) == SILENT
    assert client.get(f"/rooms/{any_room.slug}/").status_code == 200
    moderation.lift_mute(made, actor=staff)
    assert writings(client, any_room) == FREE


def test_nobody_mutes_owners_or_themselves(any_room: Room, owner: User, member: User) -> None:
    second = join(any_room, "second", Membership.Role.OWNER)
    moderator = join(any_room, "moderator", Membership.Role.MODERATOR)
    with nothing_happens():
        for user, actor in ((second, owner), (owner, owner), (moderator, moderator)):
            with pytest.raises(ValidationError):
                moderation.mute(any_room, user=user, reason="", expires_at=None, actor=actor)


@pytest.mark.parametrize("everywhere", [False, True], ids=["room", "site"])
def test_raid_switch_keeps_new_accounts_from_writing(
    any_room: Room, owner: User, member: User, everywhere: bool
) -> None:
    settled = join(any_room, "settled")
    User.objects.filter(pk=settled.pk).update(date_joined=timezone.now() - timedelta(hours=25))
    moderator = join(any_room, "moderator", Membership.Role.MODERATOR)
    raid = moderation.guard_against_raid(
        None if everywhere else any_room, hours=24, expires_at=timezone.now() + timedelta(hours=1), actor=owner
    )
    client = client_of(member)
    assert writings(client, any_room) == SILENT
    for person in (settled, moderator):
        assert writings(client_of(person), any_room)[0] == 201
    Raid.objects.filter(pk=raid.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert writings(client, any_room) == FREE


def test_owner_switches_the_raid_guard_on_and_off(any_room: Room, owner: User, member: User) -> None:
    client, path = client_of(owner), f"/rooms/{any_room.slug}"
    with nothing_happens():
        assert client.post(f"{path}/unguard/").status_code == 404
        assert client.post(f"{path}/guard/", {"raid-hours": "5", "raid-lasts": "6"}).status_code == 400
    assert client.post(f"{path}/guard/", {"raid-hours": "24", "raid-lasts": "6"}).status_code == 302
    assert "can only read until" in client.get(f"{path}/settings/").content.decode()
    assert client.post(f"{path}/unguard/").status_code == 302
    changes = Event.objects.filter(room=any_room, kind=Event.Kind.ROOM_CHANGED).order_by("position")
    assert list(changes.values_list("change", flat=True)) == ["raid", "no_raid"]


def test_audit_log_has_what_was_done_and_its_owners_read_it(any_room: Room, owner: User, member: User) -> None:
    client, path = client_of(owner), f"/rooms/{any_room.slug}"
    client.post(f"{path}/members/member/mute/", {"duration": "day", "reason": "Shouting"})
    client.post(f"{path}/members/member/role/", {"role": "moderator"})
    client.post(f"{path}/members/member/ban/", {"duration": "day"})
    client.post(f"{path}/members/member/lift/")
    client.post(f"{path}/archive/")
    entries = AuditEntry.objects.order_by("pk")
    assert list(entries.values_list("action", "detail")) == [
        *(("muted", "Shouting"), ("role", "moderator"), ("banned", ""), ("unbanned", ""), ("room", "archived")),
    ]
    assert {(each.actor_id, each.room_id, each.address) for each in entries} == {
        (owner.pk, any_room.pk, "127.0.0.0/24")
    }
    page = client.get(f"{path}/audit/").content.decode()
    assert [word in page for word in ("muted", "Shouting", "(@member)")] == [True] * 3


def test_refused_action_leaves_nothing_in_the_audit_log(any_room: Room, owner: User) -> None:
    with nothing_happens(), pytest.raises(ValidationError):
        actions.remove_member(Membership.objects.get(room=any_room, user=owner), actor=owner)


@pytest.mark.parametrize(
    "statement", ["UPDATE accounts_auditentry SET detail = 'x'", "DELETE FROM accounts_auditentry"]
)
def test_audit_log_is_only_added_to(any_room: Room, owner: User, member: User, statement: str) -> None:
    moderation.mute(any_room, user=member, reason="", expires_at=None, actor=owner)
    refused = pytest.raises(DatabaseError, match="only added to")
    with nothing_happens(), refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        (None, ""),
        ("x", ""),
    ],
)
def test_address_is_kept_coarse(address: str | None, network: str) -> None:
    assert coarse(address) == network
