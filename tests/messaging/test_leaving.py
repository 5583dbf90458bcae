"""Taking one's data along, and leaving the site."""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings as configured
from django.test import Client
from django.urls import reverse

from accounts.models import Closing, User
from messaging.actions import post_message
from messaging.leaving import close_account, finish_leaving
from messaging.models import Mention, Message, Reaction
from messaging.reactions import add_reaction
from messaging.verify import findings
from rooms import actions
from rooms.models import Event, Membership, Room
from tests.accounts.test_pages import assert_well_made
from tests.accounts.visitor import PROFILE, is_signed_in, sign_in
from tests.cast import nothing_happens
from tests.conftest import client_of, join
from tests.factories import PASSWORD, RoomFactory, UserFactory
from tests.server import ServerProcess
from tests.streams import EventStream

EXPORT = reverse("messaging:export")
LEAVE = reverse("messaging:leave_site")
END_SECONDS = 2.0


def say(room: Room, author: User, text: str) -> Message:
    return post_message(room, author=author, text=text, client_id=uuid.uuid4()).message


@pytest.fixture
def nora(room: Room) -> User:
    return join(room, "nora")


def confirmed(user: User) -> Client:
    """Return a browser in which the person has just typed their password once more."""
    browser = Client()
    sign_in(browser, user.username, PASSWORD)
    assert is_signed_in(browser)
    browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return browser


def leave(browser: Client, username: str = "nora", takes_messages: str = "no") -> Any:
    return browser.post(LEAVE, {"username": username, "takes_messages": takes_messages})


def test_export_and_deletion_need_the_password(room: Room, nora: User) -> None:
    browser = client_of(nora)
    for path in (EXPORT, LEAVE):
        with nothing_happens():
            response = browser.post(path, {"username": "nora", "takes_messages": "yes"})
        assert response["Location"].startswith(reverse("account_reauthenticate"))
        assert Client().post(path)["Location"].startswith("/accounts/login/")
    assert confirmed(nora).get(EXPORT).status_code == 405


def test_so_many_exports_a_day(room: Room, nora: User) -> None:
    browser = confirmed(nora)
    answers = [browser.post(EXPORT).status_code for _ in range(configured.EXPORTS_PER_DAY + 1)]
    assert answers == [200] * configured.EXPORTS_PER_DAY + [429]


def test_person_who_leaves_is_gone_and_what_they_said_stays(room: Room, owner: User, nora: User) -> None:
    said = say(room, nora, "I was here")
    EmailAddress.objects.create(user=nora, email=nora.email, primary=True, verified=True)
    browser, elsewhere = confirmed(nora), confirmed(nora)
    assert_well_made(browser.get(LEAVE).content.decode())

    assert leave(browser)["Location"] == reverse("account_login")

    assert (is_signed_in(browser), is_signed_in(elsewhere)) == (False, False)
    assert not room.memberships.filter(user=nora).exists()
    assert Event.objects.filter(room=room, member=nora, kind=Event.Kind.MEMBERSHIP_REMOVED).exists()
    closed = User.objects.get(pk=nora.pk)
    assert (closed.is_active, closed.email, closed.name, closed.has_usable_password()) == (False, "", "", False)
    assert finish_leaving() == 1
    assert not User.objects.filter(pk=nora.pk).exists()
    assert (EmailAddress.objects.count(), Closing.objects.count(), finish_leaving()) == (0, 0, 0)
    said.refresh_from_db()
    assert (said.text, said.author) == ("I was here", None)
    page = client_of(owner).get(f"/rooms/{room.slug}/").content.decode()
    assert ("I was here" in page, "Former member" in page, "nora" in page) == (True, True, False)
    assert list(findings(Room.with_deleted.all())) == []
    assert UserFactory.create(username="nora", email="nora@example.org")  # both are free again


def test_person_who_leaves_may_take_what_they_said(room: Room, owner: User, nora: User) -> None:
    mine = [say(room, nora, f"Mine {number}") for number in range(3)]
    theirs = say(room, owner, "Theirs")
    add_reaction(theirs, emoji="🎉", actor=nora)
    gone = RoomFactory.create(name="Gone", actor=owner)
    actions.add_member(gone, member=nora, actor=owner)
    in_gone = say(gone, nora, "In a room that is deleted, @owner")
    add_reaction(in_gone, emoji="🎉", actor=owner)
    of_owner = say(gone, owner, "@owner in the same room")
    add_reaction(of_owner, emoji="🎉", actor=owner)
    assert Mention.objects.filter(user=owner).count() == 2
    actions.delete_room(gone, actor=owner)
    leave(confirmed(nora), takes_messages="yes")
    finish_leaving()
    for message in (*mine, in_gone):
        message.refresh_from_db()
        assert (message.text, message.html, message.is_deleted, message.author) == ("", "", True, None)
    assert Message.objects.get(pk=theirs.pk).text == "Theirs"
    assert list(Reaction.objects.values_list("message", flat=True)) == [of_owner.pk]
    assert list(Mention.objects.values_list("message", flat=True)) == [of_owner.pk]
    assert not User.objects.filter(pk=nora.pk).exists()
    assert Event.objects.filter(room=room, kind=Event.Kind.MESSAGE_DELETED).count() == 3
    assert list(findings(Room.with_deleted.all())) == []


def test_room_is_not_left_without_an_owner(room: Room, owner: User, nora: User) -> None:
    browser = confirmed(owner)
    page = browser.get(LEAVE).content.decode()
    assert f"/rooms/{room.slug}/settings/" in page
    with nothing_happens():
        assert leave(browser, "owner").status_code == 400
    assert is_signed_in(browser)
    actions.change_role(Membership.objects.get(room=room, user=nora), role=Membership.Role.OWNER, actor=owner)
    assert leave(browser, "owner").status_code == 302
    assert room.memberships.get().user == nora


def test_room_that_is_deleted_holds_nobody(room: Room, owner: User) -> None:
    actions.delete_room(room, actor=owner)
    assert leave(confirmed(owner), "owner").status_code == 302
    finish_leaving()
    assert not User.objects.filter(pk=owner.pk).exists()


def test_site_is_not_left_without_an_owner(nora: User) -> None:
    User.objects.filter(pk=nora.pk).update(is_superuser=True, is_staff=True)
    browser = confirmed(nora)
    with nothing_happens():
        assert leave(browser).status_code == 400
    UserFactory.create(is_superuser=True, is_staff=True)
    assert leave(browser).status_code == 302


@pytest.mark.parametrize(
    ("username", "takes_messages"), [("", "no"), ("owner", "no"), ("nora", ""), ("nora", "maybe"), ("nor\x00a", "no")]
)
def test_slip_deletes_nothing(nora: User, username: str, takes_messages: str) -> None:
    browser = confirmed(nora)
    with nothing_happens():
        assert leave(browser, username, takes_messages).status_code == 400
    assert browser.get(PROFILE).status_code == 200


def test_streams_of_whoever_leaves_end(server: ServerProcess) -> None:
    owner = UserFactory.create()
    room = RoomFactory.create(actor=owner)
    member, other = join(room, "member"), join(room, "other")
    path = f"/rooms/{room.slug}/stream/"
    with EventStream(server, client_of(member), path) as ending, EventStream(server, client_of(other), path) as staying:
        assert (ending.status, staying.status) == (200, 200)
        began = time.monotonic()
        close_account(member, takes_messages=False)
        kinds = [event.event for event in ending.rest()]
        assert time.monotonic() - began < END_SECONDS
        assert kinds[-1] == "revoked" or kinds == ["membership_removed"]
        assert staying.next().event == "membership_removed"
    finish_leaving()
