"""Bans, changes of kind and deletion: what they end, for whom, and that they can be taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from messaging.actions import post_message
from messaging.models import Message
from messaging.verify import findings
from rooms import actions, moderation
from rooms.models import Ban, Event, Membership, Room
from tests.cast import make_scene, nothing_happens
from tests.conftest import client_of, join
from tests.factories import MessageFactory, RoomFactory, UserFactory
from tests.server import ServerProcess
from tests.streams import EventStream

Kind = Event.Kind
BANNED = "You are banned from this room. Its moderators can lift the ban."


@pytest.fixture
def member(any_room: Room) -> User:
    return join(any_room, "member")


@pytest.fixture
def superuser(db: None) -> Client:
    return client_of(UserFactory.create(username="super", is_staff=True, is_superuser=True))


def last_event(room: Room) -> Event:
    return Event.objects.filter(room=room).latest("position")


def ban(room: Room, user: User, actor: User, **terms: Any) -> Ban:
    return moderation.ban(room, user=user, actor=actor, **{"reason": "", "expires_at": None, **terms})


def test_ban_ends_the_membership_in_the_log(any_room: Room, owner: User, member: User) -> None:
    ban(any_room, member, owner, reason="Shouting")
    event = last_event(any_room)
    assert (event.kind, event.member, event.actor) == (Kind.MEMBERSHIP_REMOVED, member, owner)
    assert not Membership.objects.filter(room=any_room, user=member).exists()
    assert list(findings(Room.with_deleted.all())) == []


def test_banned_person_may_not_join_a_public_room_until_the_ban_is_lifted(room: Room, owner: User) -> None:
    member = join(room, "member")
    made = ban(room, member, owner)
    browser, path = client_of(member), f"/rooms/{room.slug}/join/"
    with nothing_happens():
        response = browser.post(path)
    assert (response.status_code, BANNED in response.content.decode()) == (403, True)
    with pytest.raises(ValidationError):
        actions.add_member(room, member=member, actor=owner)
    moderation.lift_ban(made, actor=owner)
    assert browser.post(path).status_code == 302
    assert Membership.objects.filter(room=room, user=member).exists()


def test_person_banned_from_a_private_room_is_a_stranger_to_it(private_room: Room, owner: User) -> None:
    member = join(private_room, "member")
    browser = client_of(member)
    assert browser.get(f"/rooms/{private_room.slug}/").status_code == 200
    ban(private_room, member, owner)
    for method, end in (("GET", ""), ("POST", "join/"), ("GET", "stream/")):
        assert browser.generic(method, f"/rooms/{private_room.slug}/{end}").status_code == 404


def test_ban_that_has_run_out_holds_nobody(room: Room, owner: User) -> None:
    member = join(room, "member")
    ban(room, member, owner, expires_at=timezone.now() + timedelta(hours=1))
    with pytest.raises(PermissionDenied):
        actions.join_room(room, actor=member)
    Ban.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    actions.join_room(room, actor=member)
    # Another ban takes the old one's place.
    ban(room, member, owner)
    assert Ban.objects.in_force().count() == Ban.objects.count() == 1


def test_owners_and_oneself_are_not_banned(any_room: Room, owner: User) -> None:
    moderator = join(any_room, "moderator", Membership.Role.MODERATOR)
    browser = client_of(moderator)
    with nothing_happens():
        for who in (owner, moderator):
            with pytest.raises(ValidationError):
                ban(any_room, who, moderator)
        for who in (owner, moderator):
            path = f"/rooms/{any_room.slug}/members/{who.username}/ban/"
            assert browser.post(path, {"duration": "day"}).status_code == 403


def test_members_page_bans_lists_and_lifts(any_room: Room, owner: User, member: User) -> None:
    moderator = client_of(join(any_room, "moderator", Membership.Role.MODERATOR))
    members = f"/rooms/{any_room.slug}/members/"
    path = f"{members}{member.username}/ban/"
    assert path in moderator.get(members).content.decode()
    assert "Ban <bdi>Member</bdi>" in moderator.get(path).content.decode()
    with nothing_happens():
        assert moderator.post(path, {"duration": "eternity"}).status_code == 400
        assert moderator.post(path, {"duration": "day", "reason": "x" * 251}).status_code == 400
    assert moderator.post(path, {"duration": "day", "reason": "<b>Shouting</b>"})["Location"] == members
    made = Ban.objects.get()
    assert made.expires_at
    assert timedelta(hours=23) < made.expires_at - timezone.now() <= timedelta(days=1)
    assert "&lt;b&gt;Shouting&lt;/b&gt;" in moderator.get(members).content.decode()
    plain = client_of(join(any_room, "plain")).get(members).content.decode()
    assert ("Shouting" in plain, "lift/" in plain) == (False, False)
    assert moderator.post(f"{members}{member.username}/lift/")["Location"] == members
    assert not Ban.objects.exists()
    assert moderator.post(f"{members}{member.username}/lift/").status_code == 404


def test_admin_bans_and_lifts_through_the_actions(room: Room, superuser: Client) -> None:
    member = join(room, "member")
    sent = {"room": room.pk, "user": member.pk, "reason": "Spam", "expires_at_0": "", "expires_at_1": ""}
    assert superuser.post(reverse("admin:rooms_ban_add"), sent).status_code == 302
    assert last_event(room).kind == Kind.MEMBERSHIP_REMOVED
    made = Ban.objects.get()
    assert (made.by.username if made.by else None, made.reason) == ("super", "Spam")
    assert "Spam" in superuser.get(reverse("admin:rooms_ban_changelist")).content.decode()
    assert superuser.post(reverse("admin:rooms_ban_delete", args=[made.pk]), {"post": "yes"}).status_code == 302
    assert not Ban.objects.exists()


def test_room_made_private_is_gone_for_outsiders_and_stays_for_members(room: Room, owner: User, outsider: User) -> None:
    MessageFactory.create(room=room, author=owner, text="secret")
    member, stranger, own = client_of(join(room, "member")), client_of(outsider), client_of(owner)
    path = f"/rooms/{room.slug}/"
    page = stranger.get(path)
    assert (page.status_code, page["Cache-Control"]) == (200, "no-store, private")
    assert own.post(f"{path}kind/", {"kind": "private"}).status_code == 302
    event = last_event(room)
    assert (event.kind, event.actor) == (Kind.ROOM_CHANGED, owner)
    for end in ("", "messages/", "stream/", "members/"):
        never = stranger.get(f"/rooms/never-there/{end}")
        there = stranger.get(f"{path}{end}")
        assert (there.status_code, len(there.content)) == (404, len(never.content))
    assert room.slug not in stranger.get("/rooms/").content.decode()
    assert "secret" in member.get(path).content.decode()
    assert own.post(f"{path}kind/", {"kind": "public"}).status_code == 302
    assert "secret" in stranger.get(path).content.decode()


def test_address_of_a_room_made_private_can_not_be_told_from_that_of_a_deleted_one(owner: User) -> None:
    private, deleted = RoomFactory.create(name="Attic", actor=owner), RoomFactory.create(name="Cellar", actor=owner)
    actions.change_kind(private, kind=Room.Kind.PRIVATE, actor=owner)
    actions.delete_room(deleted, actor=owner)
    for name in ("Attic", "Cellar"):
        slug = RoomFactory.create(name=name).slug
        assert (slug.rpartition("-")[0], len(slug)) == (name.lower(), len(name) + 7)


def test_kind_is_one_of_two_and_not_of_an_archived_room(room: Room, owner: User) -> None:
    path = f"/rooms/{room.slug}/kind/"
    browser = client_of(owner)
    with nothing_happens():
        assert browser.post(path, {"kind": "secret"}).status_code == 400
        assert browser.post(path, {"kind": "public"}).status_code == 302  # as it is
    actions.archive_room(room, actor=owner)
    with nothing_happens():
        assert browser.post(path, {"kind": "private"}).status_code == 400


def test_admin_makes_a_room_private_but_does_not_open_one(room: Room, private_room: Room, superuser: Client) -> None:
    sent = {"name": room.name, "topic": "", "kind": "private", "memberships-TOTAL_FORMS": 0}
    sent |= {"memberships-INITIAL_FORMS": 0}
    assert superuser.post(reverse("admin:rooms_room_change", args=[room.pk]), sent).status_code == 302
    assert Room.objects.get(pk=room.pk).kind == "private"
    assert last_event(room).kind == Kind.ROOM_CHANGED
    sent |= {"name": private_room.name, "kind": "public"}
    with nothing_happens():
        superuser.post(reverse("admin:rooms_room_change", args=[private_room.pk]), sent)


def test_deletion_needs_the_rooms_name(any_room: Room, owner: User) -> None:
    browser, path = client_of(owner), f"/rooms/{any_room.slug}/delete/"
    with nothing_happens():
        for name in ("", "somewhere", "Somewhere else"):
            response = browser.post(path, {"delete-name": name})
            assert response.status_code == 400
        assert "the room&#x27;s name" in response.content.decode()
        assert browser.get(path).status_code == 405
    assert browser.post(path, {"delete-name": "Somewhere"})["Location"] == "/rooms/"
    assert last_event(any_room).kind == Kind.ROOM_DELETED


def test_deleted_room_is_nowhere(any_room: Room, owner: User, member: User, superuser: Client) -> None:
    MessageFactory.create(room=any_room, author=member, text="Canary")
    scene, browser = any_room.slug, client_of(owner)
    assert scene in browser.get("/rooms/").content.decode()
    actions.delete_room(any_room, actor=owner)
    for end in ("", "messages/", "stream/", "members/", "settings/", "members/member/ban/"):
        assert browser.get(f"/rooms/{scene}/{end}").status_code == 404
    for end in ("messages/", "join/", "leave/", "read/", "typing/", "kind/", "delete/", "archive/", "restore/"):
        assert browser.post(f"/rooms/{scene}/{end}").status_code == 404
    assert browser.get(f"/stream/?rooms={scene}").status_code == 404
    assert scene not in browser.get("/rooms/").content.decode()
    for page in ("rooms_room", "rooms_membership", "rooms_ban", "messaging_message"):
        html = superuser.get(reverse(f"admin:{page}_changelist")).content.decode()
        assert ("Somewhere" in html, "Canary" in html) == (False, False)
    assert superuser.get(reverse("admin:rooms_room_change", args=[any_room.pk])).status_code == 302
    assert list(findings(Room.with_deleted.all())) == []


def test_action_that_was_overtaken_by_the_deletion_finds_no_room(any_room: Room, owner: User, member: User) -> None:
    message = MessageFactory.create(room=any_room, author=member)
    actions.delete_room(any_room, actor=owner)
    with nothing_happens():
        for act in (
            lambda: post_message(any_room, author=member, text="late", client_id=message.client_id),
            lambda: actions.join_room(any_room, actor=UserFactory.build()),
            lambda: actions.delete_room(any_room, actor=owner),
            lambda: actions.change_kind(any_room, kind="private", actor=owner),
        ):
            with pytest.raises(Http404):
                act()
    assert Message.objects.count() == 1


def test_superuser_restores_a_deleted_room_as_it_was(any_room: Room, owner: User, superuser: Client) -> None:
    join(any_room, "member")
    actions.delete_room(any_room, actor=owner)
    deleted = reverse("admin:rooms_deletedroom_changelist")
    assert "Somewhere" in superuser.get(deleted).content.decode()
    superuser.post(deleted, {"action": "restore", "_selected_action": any_room.pk})
    assert client_of(owner).get(f"/rooms/{any_room.slug}/").status_code == 200
    assert last_event(any_room).kind == Kind.ROOM_CHANGED
    assert any_room.memberships.count() == 2


def test_room_that_was_deleted_too_long_ago_is_not_restored(any_room: Room, owner: User, settings: Any) -> None:
    actions.delete_room(any_room, actor=owner)
    long_ago = timezone.now() - timedelta(days=settings.DELETED_ROOM_DAYS)
    Room.with_deleted.filter(pk=any_room.pk).update(deleted_at=long_ago)
    with nothing_happens(), pytest.raises(ValidationError):
        actions.undelete_room(any_room, actor=owner)


def test_list_of_deleted_rooms_is_for_superusers(any_room: Room, owner: User) -> None:
    actions.delete_room(any_room, actor=owner)
    staff = client_of(UserFactory.create(is_staff=True))
    assert staff.get(reverse("admin:rooms_deletedroom_changelist")).status_code == 403


def test_streams_of_a_deleted_room_end_and_other_pages_forget_it(
    server: ServerProcess, any_room: Room, owner: User
) -> None:
    member = join(any_room, "member")
    other = RoomFactory.create(name="Other", actor=owner)
    actions.add_member(other, member=member, actor=owner)
    with (
        EventStream(server, client_of(member), f"/rooms/{any_room.slug}/stream/") as here,
        EventStream(server, client_of(member), f"/rooms/{other.slug}/stream/") as elsewhere,
    ):
        elsewhere.ignored -= {"rooms", "unread"}
        MessageFactory.create(room=any_room, author=owner)
        # The process has looked up by then what its viewer reads.
        next(event for event in elsewhere.events() if any_room.slug in event.data["rooms"])
        assert here.next().event == "message_created"
        actions.delete_room(any_room, actor=owner)
        assert [event.event for event in here.rest()] == ["revoked"]
        hint = next(event for event in elsewhere.events() if event.event == "rooms")
        assert (hint.data, hint.id) == ({"gone": [any_room.slug]}, None)


def test_banned_member_is_in_the_scene_to_be_lifted(db: None) -> None:
    scene = make_scene("public")
    assert [ban.user.username for ban in scene.room.bans.in_force()] == ["banned"]
