"""The badge of the reports that wait, on an open page."""

from __future__ import annotations

from playwright.sync_api import expect

from accounts.models import User
from messaging.moderation import decide_report, report_message
from messaging.reports import Report
from rooms.models import Room
from tests.browser.conftest import Visit
from tests.browser.room_page import expect_live
from tests.conftest import join
from tests.factories import MessageFactory


def test_badge_comes_with_a_report_and_goes_with_its_decision(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    message = MessageFactory.create(room=room, author=join(room, "author"))
    page = visit(f"/rooms/{room.slug}/", owner)
    expect_live(page)
    badge = page.locator("[data-reports]")
    expect(badge).to_be_hidden()
    report = report_message(message, reason="Spam", reporter=member)
    expect(badge).to_be_visible()
    expect(badge).to_have_accessible_name("1 report waits for you")
    report_message(message, reason="Spam too", reporter=join(room, "other"))
    expect(badge).to_have_accessible_name("2 reports wait for you")
    decide_report(report, outcome=Report.Outcome.DISMISSED, actor=owner)
    expect(badge).to_be_hidden()
