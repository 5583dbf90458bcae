"""What one person writes in one go stands under one name; and when each message was written, to the minute."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from messaging.models import Message
from rooms.models import Room
from tests.browser.conftest import Visit
from tests.browser.room_page import expect_live, have_read, row, said, say, write
from tests.conftest import join

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


@pytest.fixture
def member(room: Room) -> User:
    return join(room, "member")


def said_at(room: Room, author: User, after: timedelta, text: str) -> Message:
    (message,) = say(room, author, text)
    Message.objects.filter(pk=message.pk).update(created_at=NOON + after)
    return message


def heads(page: Page) -> dict[str, bool]:
    """Return which messages stand under a face and name of their own, by their text."""
    return {
        each.locator(".message__body").inner_text().strip(): each.locator(".avatar").is_visible()
        for each in page.locator("[data-rows] > li.message[data-position]").all()
    }


def test_messages_of_one_author_stand_together_for_five_minutes(
    visit: Visit, room: Room, owner: User, member: User
) -> None:
    for author, seconds, text in (
        (owner, 0, "one"),
        (owner, 299, "two"),
        (owner, 598, "three"),
        (owner, 898, "four, 300 s later"),
        (member, 899, "five"),
        (owner, 900, "six"),
        (owner, 12 * 3600 - 1, "seven"),
        (owner, 12 * 3600 + 1, "eight, on the next day"),
    ):
        said_at(room, author, timedelta(seconds=seconds), text)
    for person in (owner, member):
        have_read(room, person)
    page = visit(f"/rooms/{room.slug}/", owner, timezone_id="UTC")
    expect(row(page, "one")).to_be_visible()
    assert heads(page) == {
        "one": True,
        "two": False,
        "three": False,
        "four, 300 s later": True,
        "five": True,
        "six": True,
        "seven": True,
        "eight, on the next day": True,
    }


def test_live_messages_are_grouped_as_they_are_after_a_reload(
    visit: Visit, room: Room, owner: User, member: User
) -> None:
    page = visit(f"/rooms/{room.slug}/", owner)
    expect_live(page)
    for text in ("first", "second"):
        write(page, text)
        expect(row(page, text)).to_have_attribute("data-position", re.compile(r"\d"))  # it has come back
    say(room, member, "third", "fourth")
    expect(row(page, "fourth")).to_be_visible()
    expected = {"first": True, "second": False, "third": True, "fourth": False}
    assert heads(page) == expected
    page.reload()
    expect(row(page, "fourth")).to_be_visible()
    assert heads(page) == expected


def test_exact_time_is_told_in_the_readers_own(visit: Visit, room: Room, owner: User) -> None:
    said_at(room, owner, timedelta(minutes=5), "punctual")
    have_read(room, owner)
    page = visit(f"/rooms/{room.slug}/", owner, timezone_id="Asia/Kolkata")  # five and a half hours ahead
    expect(row(page, "punctual").locator("time")).to_have_attribute("title", "Wednesday, March 4, 2026 at 5:35 PM")


def test_today_is_yesterday_when_a_new_day_begins(visit: Visit, room: Room, owner: User) -> None:
    page = visit("/rooms/", owner, has_own_clock=True)
    say(room, owner, "in the evening")
    room.events.update(created_at=timezone.now() - timedelta(days=1))
    Message.objects.update(created_at=timezone.now() - timedelta(days=1))
    page.clock.set_system_time(timezone.now() - timedelta(days=1))
    page.goto(f"/rooms/{room.slug}/")
    expect_live(page)
    expect(page.locator(".day")).to_have_text(["Today"])
    page.clock.set_system_time(timezone.now())
    say(room, owner, "in the morning")
    expect(said(page, "in the morning")).to_be_visible()
    expect(page.locator(".day")).to_have_text(["Yesterday", "Today"])
