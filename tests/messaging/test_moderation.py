"""What moderators do about messages, and what they are told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone

from accounts.audit import AuditEntry
from accounts.models import User
from messaging.actions import delete_message
from messaging.models import Message, Report
from messaging.moderation import DELETED_AT_ONCE, decide_report, delete_recent, report_message
from messaging.verify import findings
from rooms.models import Event, Membership, Room
from tests.cast import nothing_happens, together
from tests.conftest import client_of, join, leave
from tests.factories import MessageFactory

JSON = {"Accept": "application/json"}


@pytest.fixture
def member(any_room: Room) -> User:
    return join(any_room, "member")


def said(room: Room, author: User, ago: timedelta, text: str = "x") -> Message:
    message = MessageFactory.create(room=room, author=author, text=text)
    Message.objects.filter(pk=message.pk).update(created_at=timezone.now() - ago)
    return message


def kept(room: Room) -> list[str]:
    return list(Message.objects.filter(room=room, deleted_at=None).order_by("position").values_list("text", flat=True))


@pytest.mark.parametrize(("recent", "left"), [("hour", ["old", "yesterday", "other"]), ("day", ["old", "other"])])
def test_recent_messages_of_one_person_go(
    any_room: Room, owner: User, member: User, recent: str, left: list[str]
) -> None:
    said(any_room, member, timedelta(days=3), "old")
    said(any_room, member, timedelta(hours=20), "yesterday")
    said(any_room, member, timedelta(minutes=50), "lately")
    said(any_room, owner, timedelta(minutes=50), "other")
    leave(any_room, member)  # also then
    path = f"/rooms/{any_room.slug}/members/member/messages/delete/"
    assert client_of(owner).get(path).status_code == 200
    assert client_of(owner).post(path, {"recent": recent}).status_code == 302
    assert kept(any_room) == left
    assert list(findings(Room.with_deleted.all())) == []
    entry = AuditEntry.objects.get(action="messages_deleted")
    assert (entry.actor_id, entry.target_id, entry.room_id) == (owner.pk, member.pk, any_room.pk)


def test_many_messages_go_in_portions(any_room: Room, owner: User, member: User) -> None:
    for number in range(DELETED_AT_ONCE + 1):
        MessageFactory.create(room=any_room, author=member, text=str(number))
    assert delete_recent(any_room, author=member, since=timedelta(hours=1), actor=owner) == DELETED_AT_ONCE + 1
    assert kept(any_room) == []
    assert Event.objects.filter(room=any_room, kind="message_deleted").count() == DELETED_AT_ONCE + 1
    assert list(AuditEntry.objects.filter(action="messages_deleted").values_list("detail", flat=True)) == ["1", "50"]


@pytest.mark.django_db(transaction=True)
def test_messages_deleted_by_two_at_once_are_counted_once(room: Room, owner: User) -> None:
    member, moderator = join(room, "member"), join(room, "moderator", Membership.Role.MODERATOR)
    MessageFactory.create_batch(DELETED_AT_ONCE + 10, room=room, author=member)
    delete = partial(delete_recent, room, author=member, since=timedelta(hours=1))
    counts: list[int] = []

    def second_first(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if "FOR NO KEY UPDATE" in sql and not counts:  # the first knows what is there, and has yet to lock the room
            counts.extend(together(partial(delete, actor=moderator)))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(second_first):
        counts.append(delete(actor=owner))
    assert counts == [DELETED_AT_ONCE + 10, 0]
    told = AuditEntry.objects.filter(action="messages_deleted").values_list("detail", flat=True)
    assert sorted(told) == ["10", "50"]


def test_moderators_delete_nothing_of_owners_and_other_moderators(any_room: Room, owner: User, member: User) -> None:
    moderator = client_of(join(any_room, "moderator", Membership.Role.MODERATOR))
    join(any_room, "second", Membership.Role.MODERATOR)
    for name, status in (("member", 302), ("owner", 403), ("second", 403), ("nobody", 404), ("a\0b", 404)):
        path = f"/rooms/{any_room.slug}/members/{name}/messages/delete/".replace("\0", "%00")
        assert moderator.post(path, {"recent": "hour"}).status_code == status
    with nothing_happens():
        assert (
            moderator.post(f"/rooms/{any_room.slug}/members/member/messages/delete/", {"recent": "x"}).status_code
            == 400
        )


def test_report_waits_for_the_moderators_until_one_decides(any_room: Room, owner: User, member: User) -> None:
    message = MessageFactory.create(room=any_room, author=owner, text="Canary Text")
    client, path = client_of(member), f"/rooms/{any_room.slug}/messages/{message.pk}/report/"
    assert "Canary Text" in client.get(path).content.decode()
    assert client.post(path, {"reason": ""}, headers=JSON).status_code == 400
    assert client.post(path, {"reason": "Shouting"}, headers=JSON).status_code == 201
    with nothing_happens():
        assert client.post(path, {"reason": "Again"}, headers=JSON).status_code == 201
    moderator = client_of(join(any_room, "moderator", Membership.Role.MODERATOR))
    page = moderator.get(f"/rooms/{any_room.slug}/reports/").content.decode()
    assert ("Shouting" in page, "Canary Text" in page) == (True, True)
    report = Report.objects.get()
    assert f"/rooms/{any_room.slug}/reports/" in moderator.get(f"/rooms/{any_room.slug}/").content.decode()
    decision = f"/rooms/{any_room.slug}/reports/{report.pk}/"
    assert moderator.post(decision, {"outcome": "deleted"}).status_code == 302
    assert Message.objects.get(pk=message.pk).is_deleted
    assert "Shouting" not in moderator.get(f"/rooms/{any_room.slug}/reports/").content.decode()
    with nothing_happens():
        moderator.post(decision, {"outcome": "dismissed"})
    actions = AuditEntry.objects.values_list("action", flat=True).order_by("pk")
    assert list(actions) == ["message_deleted", "report"]


def test_dismissed_report_leaves_the_message_and_settles_all_of_it(any_room: Room, owner: User, member: User) -> None:
    message = MessageFactory.create(room=any_room, author=owner)
    other = join(any_room, "other")
    first = report_message(message, reason="a", reporter=member)
    report_message(message, reason="b", reporter=other)
    decide_report(first, outcome="dismissed", actor=owner)
    assert (Report.objects.waiting().count(), Message.objects.get(pk=message.pk).is_deleted) == (0, False)


def test_own_and_deleted_messages_are_not_reported(any_room: Room, owner: User, member: User) -> None:
    own = MessageFactory.create(room=any_room, author=member)
    gone = delete_message(MessageFactory.create(room=any_room, author=owner), actor=owner)
    with nothing_happens():
        for message in (own, gone):
            with pytest.raises(ValidationError):
                report_message(message, reason="x", reporter=member)


def test_reports_have_a_limit(any_room: Room, owner: User, member: User, settings: Any) -> None:
    settings.LIMITS_FACTOR = 1
    settings.LIMITS = {**settings.LIMITS, "report": {"burst": 1, "seconds": 60.0, "fails": "closed"}}
    client, statuses = client_of(member), []
    for _ in range(2):
        path = f"/rooms/{any_room.slug}/messages/{MessageFactory.create(room=any_room, author=owner).pk}/report/"
        statuses.append(client.post(path, {"reason": "x"}, headers=JSON).status_code)
    assert statuses == [201, 429]


def test_deleting_another_person_s_message_is_in_the_audit_log_and_one_s_own_is_not(
    any_room: Room, owner: User, member: User
) -> None:
    delete_message(MessageFactory.create(room=any_room, author=member), actor=member)
    assert not AuditEntry.objects.exists()
    delete_message(MessageFactory.create(room=any_room, author=member), actor=owner)
    assert AuditEntry.objects.get().action == "message_deleted"
