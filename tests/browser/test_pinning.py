"""Messages pinned to a room, on its open pages."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from messaging.actions import edit_message
from messaging.models import Message
from messaging.pinning import pin_message
from rooms.models import Room
from tests.browser.conftest import Visit
from tests.browser.room_page import expect_live, have_read, row, say
from tests.browser.test_writing import PHONE
from tests.conftest import join

PINNED = re.compile("message--pinned")
REFUSAL = '{"errors": {"__all__": ["Unpin one of them first."]}}'


def heading(page: Page) -> Locator:
    """The link in the room's heading to what is pinned."""
    return page.locator(".room__header").get_by_role("link", name="Pinned messages:")


def entries(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Pinned messages").get_by_role("listitem")


def test_pin_shows_on_all_pages_and_leads_to_its_place(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    first, *_others = say(room, owner, "Ring twice", *(f"message {number}" for number in range(70)), "Mind the step")
    first = Message.objects.select_related("room").get(pk=first.pk)
    for person in (owner, member):
        have_read(room, person)
    page, other = visit(f"/rooms/{room.slug}/", owner), visit(f"/rooms/{room.slug}/", member, **PHONE)
    for each in (page, other):
        expect_live(each)
        expect(heading(each)).to_have_count(0)
    # By the keyboard, in a row that is there.
    row(page, "Mind the step").focus()
    row(page, "Mind the step").get_by_role("button", name="Pin", exact=True).press("Enter")
    for each in (page, other):
        expect(row(each, "Mind the step")).to_have_class(PINNED)
        expect(heading(each)).to_have_accessible_name("Pinned messages: 1")
    expect(page.locator("[data-answered]")).to_have_text("Pinned.")
    expect(row(page, "Mind the step")).to_be_focused()
    row(other, "Mind the step").locator(".message__body").tap()
    expect(other.get_by_role("button", name="Reply")).to_be_visible()
    expect(other.get_by_role("button", name="Unpin")).to_have_count(0)
    # Of a row that is not there, and in the list, while it is open.
    heading(other).tap()
    expect(entries(other)).to_contain_text(["Mind the step"])
    pin_message(first, actor=owner)
    expect(entries(other)).to_contain_text(["Ring twice", "Mind the step"])
    edit_message(first, text="Ring three times", actor=owner)
    expect(entries(other).first).to_contain_text("Ring three times")
    heading(page).click()
    page.get_by_role("button", name="Unpin").last.click()
    for each in (page, other):
        expect(entries(each)).to_have_count(1)
        expect(row(each, "Mind the step")).not_to_have_class(PINNED)
        each.get_by_role("link", name="Show it in the room").click()
        expect(entries(each)).to_have_count(0)
        expect(row(each, "Ring three times")).to_be_in_viewport()
        expect(row(each, "Ring three times")).to_have_class(PINNED)
        each.reload()
        expect(row(each, "Ring three times").get_by_text("Pinned", exact=True)).to_be_visible()
        expect(heading(each)).to_have_accessible_name("Pinned messages: 1")
    page.route("**/pin/", lambda route: route.fulfill(status=400, content_type="application/json", body=REFUSAL))
    row(page, "message 1").hover()
    row(page, "message 1").get_by_role("button", name="Pin", exact=True).click()
    expect(page.locator("[data-who]")).to_have_text("Unpin one of them first.")
    expect(page.locator("[data-who]")).to_be_visible()
    expect(row(page, "message 1")).not_to_have_class(PINNED)
