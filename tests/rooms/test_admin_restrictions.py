"""Mutes, raid switches, reports and reviews in the admin."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.audit import AuditEntry
from accounts.models import User
from messaging.actions import delete_message
from messaging.models import Message, Report
from messaging.moderation import report_message
from rooms import moderation
from rooms.models import Mute, Raid, Review, Room, WordFilter
from tests.cast import nothing_happens
from tests.conftest import client_of, join
from tests.factories import MessageFactory, RoomFactory, UserFactory

UNTIL = {"expires_at_0": "2099-01-01", "expires_at_1": "00:00:00"}
CANARY = "Canary said"


@pytest.fixture
def boss(db: None) -> User:
    return UserFactory.create(username="super", name="Sue Super", is_staff=True, is_superuser=True)


@pytest.fixture
def admin(boss: User) -> Client:
    return client_of(boss)


def page(client: Client, name: str, **query: Any) -> str:
    response = client.get(reverse(f"admin:{name}_changelist", query=query))
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("everywhere", [True, False])
def test_mutes_are_made_and_lifted(room: Room, admin: Client, everywhere: bool) -> None:
    member = join(room, "member")
    fields = {"user": member.pk, "room": "" if everywhere else room.pk, "reason": "Spam", **UNTIL}
    assert admin.post(reverse("admin:rooms_mute_add"), fields).status_code == 302
    made = Mute.objects.get()
    assert (made.user, made.room) == (member, None if everywhere else room)
    assert "Spam" in page(admin, "rooms_mute")
    admin.post(reverse("admin:rooms_mute_delete", args=[made.pk]), {"post": "yes"})
    assert not Mute.objects.exists()
    assert list(AuditEntry.objects.order_by("pk").values_list("action", flat=True)) == ["muted", "unmuted"]


@pytest.mark.parametrize("everywhere", [True, False])
def test_raid_switch_is_made_and_ended(room: Room, admin: Client, everywhere: bool) -> None:
    fields = {"room": "" if everywhere else room.pk, "hours": "5", **UNTIL}
    assert admin.post(reverse("admin:rooms_raid_add"), fields).status_code == 302
    made = Raid.objects.get()
    assert (made.hours, made.room) == (5, None if everywhere else room)
    chosen = {"action": "delete_selected", "_selected_action": made.pk, "post": "yes"}
    admin.post(reverse("admin:rooms_raid_changelist"), chosen)
    assert not Raid.objects.exists()


def test_reports_of_private_rooms_do_not_show_what_was_said(
    room: Room, private_room: Room, owner: User, admin: Client
) -> None:
    shown = MessageFactory.create(room=room, author=owner, text="public text")
    hidden = MessageFactory.create(room=private_room, author=owner, text=CANARY)
    for message in (shown, hidden):
        report_message(message, reason=f"about {message.room}", reporter=join(message.room, f"in{message.room_id}"))
    listed = page(admin, "messaging_report")
    assert [word in listed for word in ("public text", CANARY, "about Vault")] == [True, False, True]
    chosen = {"action": "delete_messages", "_selected_action": [report.pk for report in Report.objects.all()]}
    admin.post(reverse("admin:messaging_report_changelist"), chosen)
    assert Message.objects.filter(deleted_at=None).count() == 0
    assert "The message was deleted" in page(admin, "messaging_report", decided="yes")


def test_report_of_a_picture_says_that_it_is_there(room: Room, owner: User, admin: Client) -> None:
    message = MessageFactory.create(room=room, author=owner, text="look")
    report_message(message, reason="rude", reporter=join(room, "member"))
    Message.objects.filter(pk=message.pk).update(text="", html="", attachment_count=2)
    listed = page(admin, "messaging_report")
    assert ("2 files" in listed, "(deleted)" in listed) == (True, False)
    delete_message(message, actor=owner)
    listed = page(admin, "messaging_report")
    assert ("2 files" in listed, "(deleted)" in listed) == (False, True)


def test_review_opens_one_private_room_to_one_person_for_a_while_and_tells_the_room(
    private_room: Room, owner: User, admin: Client, boss: User
) -> None:
    MessageFactory.create(room=private_room, author=owner, text=CANARY)
    other = RoomFactory.create(kind=Room.Kind.PRIVATE, actor=owner)
    MessageFactory.create(room=other, author=owner, text="Another canary")
    second = client_of(UserFactory.create(is_staff=True, is_superuser=True))
    assert CANARY not in page(admin, "messaging_message")
    fields = {"room": private_room.pk, "reason": "A complaint"}
    assert admin.post(reverse("admin:rooms_review_add"), fields).status_code == 302
    assert [word in page(admin, "messaging_message") for word in (CANARY, "Another canary")] == [True, False]
    assert CANARY not in page(second, "messaging_message")
    told = client_of(owner).get(f"/rooms/{private_room.slug}/").content.decode()
    assert "Sue Super\u2069, who runs this site, opened this room for review." in told
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_id, entry.room_id, entry.detail) == (
        "review",
        boss.pk,
        private_room.pk,
        "A complaint",
    )
    Review.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert CANARY not in page(admin, "messaging_message")


def test_only_superusers_open_rooms_for_review(room: Room, private_room: Room, owner: User, boss: User) -> None:
    staff = UserFactory.create(is_staff=True)
    assert client_of(staff).get(reverse("admin:rooms_review_add")).status_code == 403
    with nothing_happens():
        for place, actor in ((private_room, staff), (private_room, owner), (room, boss)):
            with pytest.raises(ValidationError):
                moderation.open_for_review(place, reason="x", actor=actor)


def test_word_filter_of_the_site_is_written_changed_and_removed(room: Room, owner: User, admin: Client) -> None:
    fields = {"room": "", "words": "casino\r\ncasino"}
    assert admin.post(reverse("admin:rooms_wordfilter_add"), fields).status_code == 302
    made = WordFilter.objects.get()
    assert (made.room, made.words) == (None, "casino")
    with pytest.raises(ValidationError):
        MessageFactory.create(room=room, author=owner, text="casino")
    change = reverse("admin:rooms_wordfilter_change", args=[made.pk])
    assert admin.post(change, {"words": " "}).status_code == 200
    assert admin.post(change, {"words": "poker"}).status_code == 302
    assert WordFilter.objects.get().words == "poker"
    admin.post(reverse("admin:rooms_wordfilter_delete", args=[made.pk]), {"post": "yes"})
    assert not WordFilter.objects.exists()


@pytest.mark.parametrize("name", ["mute", "raid", "review", "wordfilter"])
def test_pages_are_for_those_who_manage_rooms(admin: Client, name: str) -> None:
    for page_name in ("changelist", "add"):
        path = reverse(f"admin:rooms_{name}_{page_name}")
        assert admin.get(path).status_code == 200
        assert client_of(UserFactory.create(is_staff=True)).get(path).status_code == 403
