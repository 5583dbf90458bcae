"""Messages pinned to their rooms: what is written, and who may."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from accounts import actions as accounts
from accounts.models import User
from messaging import events, leaving
from messaging.actions import delete_message, edit_message
from messaging.models import Message
from messaging.moderation import decide_report, delete_recent, report_message
from messaging.pinning import pin_message, unpin_message
from messaging.reports import Report
from rooms import actions
from rooms.models import Event, Membership, Room
from rooms.moderation import guard_against_raid, mute
from tests.answers import JSON
from tests.cast import Ear, nothing_happens, together
from tests.conftest import client_of, join, leave
from tests.factories import MessageFactory, RoomFactory, UserFactory
from tests.messaging.pinboard import board, one
from tests.messaging.posting import log_of

LEVELS = ("member", "moderator", "owner")


def is_pinned(message: Message) -> bool:
    return Message.objects.get(pk=message.pk).is_pinned


def test_pin_and_unpin_are_events_of_the_log_and_twice_is_once(message: Message, owner: User) -> None:
    pinned = pin_message(message, actor=owner)
    with nothing_happens():
        assert pin_message(message, actor=owner).pinned_at == pinned.pinned_at
    taken = unpin_message(message, actor=owner)
    assert (pinned.is_pinned, taken.is_pinned, is_pinned(message)) == (True, False, False)
    with nothing_happens():
        unpin_message(message, actor=owner)
    assert log_of(message.room)[1:] == [(2, "message_created"), (3, "message_pinned"), (4, "message_unpinned")]
    assert set(message.events.values_list("actor", flat=True)) == {owner.pk}


@pytest.mark.django_db(transaction=True)
def test_same_message_pinned_eight_times_at_once_is_one_event(message: Message, owner: User) -> None:
    people = [owner, *(join(message.room, f"moderator{number}", "moderator") for number in range(7))]
    last = Room.objects.get(pk=message.room_id).last_position
    for action, kind in ((pin_message, "message_pinned"), (unpin_message, "message_unpinned")):
        last += 1
        with Ear(message.room.channel_name) as ear:
            answers = together(*(partial(action, message, actor=person) for person in people))
            assert ear.heard() == [str(last)]
        assert len({answer.pinned_at for answer in answers}) == 1
        assert log_of(message.room)[-1] == (last, kind)


@pytest.mark.django_db(transaction=True)
def test_last_place_is_given_once_and_a_deletion_at_the_same_instant_wins(
    room: Room, owner: User, settings: Any
) -> None:
    settings.PINS_PER_ROOM = 2
    messages = MessageFactory.create_batch(4, room=room, author=owner)
    pin_message(messages[0], actor=owner)

    def pin(message: Message) -> bool:
        try:
            return pin_message(message, actor=owner).is_pinned
        except ValidationError:
            return False

    assert sorted(together(*(partial(pin, each) for each in messages[1:]))) == [False, False, True]
    assert [kind for _, kind in log_of(room)].count("message_pinned") == 2
    unpin_message(messages[0], actor=owner)
    together(lambda: pin(messages[0]), lambda: delete_message(messages[0], actor=owner).is_deleted)
    gone = Message.objects.get(pk=messages[0].pk)
    assert (gone.is_deleted, gone.is_pinned) == (True, False)


def test_room_has_so_many_pins_and_one_that_is_there_can_be_pinned_again(
    room: Room, owner: User, settings: Any
) -> None:
    settings.PINS_PER_ROOM = 2
    first, second, third = MessageFactory.create_batch(3, room=room, author=owner)
    client = client_of(owner)
    assert [client.post(one(each), headers=JSON).status_code for each in (first, second, first)] == [200] * 3
    with nothing_happens():
        refused = client.post(one(third), headers=JSON)
        page = client.post(one(third))
    sentence = "This room has 2 pinned messages, as many as it can have. Unpin one of them first."
    assert (refused.status_code, refused.json()) == (400, {"errors": {"__all__": [sentence]}})
    assert (page.status_code, sentence in page.content.decode()) == (400, True)
    elsewhere = MessageFactory.create(room=RoomFactory.create(actor=owner), author=owner)
    assert client.post(one(elsewhere), headers=JSON).json()["pinned_at"]
    assert client.post(one(first, "unpin"), headers=JSON).json()["pinned_at"] is None
    assert client.post(one(third), headers=JSON).status_code == 200
    assert [text for text, _by in board(client, room)] == [third.text, second.text]


def test_edit_keeps_a_message_pinned(message: Message, owner: User) -> None:
    pin_message(message, actor=owner)
    assert edit_message(message, text="other words", actor=owner).is_pinned
    assert board(client_of(owner), message.room) == [("other words", "owner")]


def report_and_delete(message: Message, owner: User) -> None:
    reporter = join(message.room, "reporter")
    report = report_message(message, reason="x", reporter=reporter)
    decide_report(report, outcome=Report.Outcome.DELETED, actor=owner)


def leave_with_messages(message: Message, owner: User) -> None:
    assert message.author
    leaving.close_account(message.author, takes_messages=True)
    leaving.finish_leaving()


def leave_with_messages_of_a_deleted_room(message: Message, owner: User) -> None:
    actions.delete_room(message.room, actor=owner)
    assert message.author
    accounts.close_account(message.author, takes_messages=True)
    leaving.finish_leaving()


@pytest.mark.parametrize(
    "remove",
    [
        lambda message, owner: delete_message(message, actor=message.author),
        lambda message, owner: delete_recent(
            message.room, author=message.author, since=timedelta(hours=1), actor=owner
        ),
        report_and_delete,
        leave_with_messages,
        leave_with_messages_of_a_deleted_room,
    ],
    ids=["its author", "its author's recent ones", "a report", "an account", "an account, of a deleted room"],
)
def test_what_is_deleted_is_pinned_no_more_and_can_not_be(room: Room, owner: User, remove: Any) -> None:
    message = MessageFactory.create(room=room, author=join(room, "author"), text="Canary Text")
    pin_message(message, actor=owner)
    remove(message, owner)
    gone = Message.objects.select_related("room").get(pk=message.pk)
    assert (gone.is_deleted, gone.is_pinned) == (True, False)
    if not gone.room.is_deleted:
        assert events.read_after(room.pk, 3, 100)[-1].state["message"]["pinned_at"] is None
        assert board(client_of(owner), room) == []
        with nothing_happens(), pytest.raises(ValidationError):
            pin_message(gone, actor=owner)


@pytest.mark.parametrize("level", LEVELS)
def test_only_those_pin_who_may_and_only_they_are_offered_it(any_room: Room, owner: User, level: str) -> None:
    """Who writes is decided apart: in a room of announcements, members may pin if they may."""
    message = MessageFactory.create(room=any_room, author=owner)
    people = {"owner": owner, "moderator": join(any_room, "moderator", "moderator"), "member": join(any_room, "member")}
    actions.change_policy(any_room, who_pins=level, who_posts="owner", actor=owner)
    for role, person in people.items():
        client, may = client_of(person), LEVELS.index(role) >= LEVELS.index(level)
        page = client.get(f"/rooms/{any_room.slug}/").content.decode()
        assert (" data-pins " in page, one(message) in page) == (may, may)
        if may:
            assert [client.post(one(message, what)).status_code for what in ("pin", "unpin", "pin")] == [302] * 3
            offers = [client.get(f"/rooms/{any_room.slug}/{page}").content.decode() for page in ("", "pins/")]
            assert [one(message, "unpin") in offer for offer in offers] == [True, True]
            unpin_message(message, actor=person)
            continue
        with nothing_happens():
            assert [client.post(one(message, what)).status_code for what in ("pin", "unpin")] == [403, 403]
        pin_message(message, actor=owner)
        assert one(message, "unpin") not in client.get(f"/rooms/{any_room.slug}/pins/").content.decode()
        unpin_message(message, actor=owner)
    told = Event.objects.filter(room=any_room, change="who_pins").count()
    assert told == (level != "moderator")


def test_guests_pin_as_the_policy_says(private_room: Room, owner: User) -> None:
    guest = UserFactory.create(username="guest", is_guest=True)
    actions.add_member(private_room, member=guest, actor=owner)
    message, client = MessageFactory.create(room=private_room, author=owner), client_of(guest)
    with nothing_happens():
        assert client.post(one(message), headers=JSON).status_code == 403
    actions.change_policy(private_room, who_pins="member", actor=owner)
    assert client.post(one(message), headers=JSON).status_code == 200


def silence(membership: Membership, owner: User) -> None:
    mute(membership.room, user=membership.user, reason="", expires_at=None, actor=owner)


def guard(membership: Membership, owner: User) -> None:
    guard_against_raid(membership.room, hours=24, expires_at=timezone.now() + timedelta(hours=1), actor=owner)


@pytest.mark.parametrize(
    "shut_out",
    [
        silence,
        guard,
        lambda membership, owner: actions.archive_room(membership.room, actor=owner),
        lambda membership, owner: leave(membership.room, membership.user),
    ],
    ids=["muted", "new in a raid", "archived", "left"],
)
def test_whoever_may_do_nothing_here_pins_nothing_either(room: Room, owner: User, shut_out: Any) -> None:
    member = join(room, "member")
    first, second = MessageFactory.create_batch(2, room=room, author=owner)
    actions.change_policy(room, who_pins="member", actor=owner)
    client = client_of(member)
    assert client.post(one(first), headers=JSON).status_code == 200
    shut_out(Membership.objects.select_related("room", "user").get(user=member), owner)
    with nothing_happens():
        for message, what, action in ((second, "pin", pin_message), (first, "unpin", unpin_message)):
            assert client.post(one(message, what), headers=JSON).status_code == 403
            with pytest.raises(PermissionDenied):
                action(message, actor=member)
        assert one(first, "unpin") not in client.get(f"/rooms/{room.slug}/pins/").content.decode()
        assert " data-pins " not in client.get(f"/rooms/{room.slug}/").content.decode()
    assert board(client, room) == [(first.text, "member")]


def test_message_of_another_room_is_not_found_to_be_pinned(room: Room, private_room: Room, owner: User) -> None:
    message, client = MessageFactory.create(room=private_room, author=owner, text="Canary Text"), client_of(owner)
    with nothing_happens():
        for what in ("pin", "unpin"):
            answer = client.post(f"/rooms/{room.slug}/messages/{message.pk}/{what}/", headers=JSON)
            assert (answer.status_code, b"Canary" in answer.content) == (404, False)
    pin_message(message, actor=owner)
    assert (board(client_of(owner), room), len(board(client_of(owner), private_room))) == ([], 1)


def test_too_many_a_minute_wait(message: Message, owner: User, settings: Any) -> None:
    settings.LIMITS_FACTOR = 1
    settings.LIMITS = {**settings.LIMITS, "pin": {"burst": 2, "seconds": 30.0, "fails": "closed"}}
    client = client_of(owner)
    assert [client.post(one(message, what), headers=JSON).status_code for what in ("pin", "unpin")] == [200, 200]
    with nothing_happens():
        refused = client.post(one(message), headers=JSON)
    assert (refused.status_code, 1 <= int(refused["Retry-After"]) <= 30) == (429, True)
    other = join(message.room, "moderator", "moderator")
    assert client_of(other).post(one(message), headers=JSON).status_code == 200
