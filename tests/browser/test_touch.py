"""The room by touch alone, on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from messaging.models import Message
from rooms.models import Room
from tests.browser.conftest import Visit
from tests.browser.proxy import POSTING, Proxy
from tests.browser.room_page import composer, expect_live, have_read, row, rows, said, say
from tests.browser.test_files import expect_sent, image, pick
from tests.browser.test_reading import long_talk
from tests.browser.test_writing import PHONE
from tests.conftest import join
from tests.factories import MembershipFactory, RoomFactory

NOTHING_BEGUN = (
    ":popover-open, dialog[open], message-editor:not([hidden]) textarea, .message--leaving, reply-bar:not([hidden])"
)


def phone(visit: Visit, room: Room, user: User, **options: object) -> Page:
    page = visit(f"/rooms/{room.slug}/", user, **PHONE, **options)
    expect_live(page)
    return page


def act(page: Page, text: str, action: str) -> None:
    """Tap a message, and then one of its actions."""
    said(page, text).tap()
    row(page, text).get_by_role("button", name=action, exact=True).tap()


def tap_at(row: Locator, across: float, down: float) -> None:
    box = row.bounding_box()
    assert box
    row.page.touchscreen.tap(box["x"] + across * box["width"], box["y"] + down * box["height"])


@pytest.mark.parametrize("down", [0.05, 0.5, 0.95])
@pytest.mark.parametrize("across", [0.5, 0.7, 0.9])
def test_one_tap_shows_the_actions_and_takes_none(
    visit: Visit, room: Room, owner: User, across: float, down: float
) -> None:
    """Not even where they come to stand under the finger, over short rows that go on from one another."""
    say(room, owner, "one", "two", "three", "four")
    page = phone(visit, room, owner)
    address = page.url
    for text in ("two", "three", "four"):
        tap_at(row(page, text), across, down)
        expect(page.locator("message-actions:visible")).to_have_count(1)
        expect(page.locator(NOTHING_BEGUN)).to_have_count(0)
    assert page.url == address
    expect(rows(page)).to_have_count(4)
    assert Message.objects.filter(deleted_at=None).count() == 4


def test_messages_are_answered_by_touch(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    target = RoomFactory.create(name="Cellar", actor=owner)
    MembershipFactory.create(room=target, member=member)
    say(room, owner, "Who waters the plants?")
    page = phone(visit, room, member)
    act(page, "Who waters the plants?", "Reply")
    composer(page).fill("I do")
    page.get_by_role("button", name="Send").tap()
    expect(row(page, "I do").locator(".quote")).to_contain_text("Who waters the plants?")
    expect(page.locator(".message--pending")).to_have_count(0)
    act(page, "Who waters the plants?", "React")
    page.locator(".picker__emoji").first.tap()
    expect(row(page, "Who waters the plants?").locator(".reaction")).to_have_attribute("aria-pressed", "true")
    act(page, "I do", "Edit")
    page.locator("[data-rows] textarea").fill("I did")
    page.locator("message-editor").get_by_role("button", name="Save").tap()
    expect(row(page, "I did")).to_contain_text("(edited)")
    row(page, "I did").locator(".message__edited").tap()
    dialog = page.get_by_role("dialog", name="What it said before")
    expect(dialog).to_contain_text("I do")
    dialog.get_by_role("button", name="Close").tap()
    act(page, "Who waters the plants?", "Forward")
    dialog = page.get_by_role("dialog", name="Forward this message")
    dialog.get_by_label("To").select_option("Cellar")
    dialog.get_by_role("button", name="Forward").tap()
    expect(page.locator("[data-answered]")).to_have_text("Forwarded to Cellar.")
    act(page, "I did", "Delete")
    page.get_by_role("button", name="Undo").tap()
    expect(said(page, "I did")).to_be_visible()
    assert not Message.objects.filter(deleted_at__isnull=False).exists()


def test_messages_are_read_by_touch(visit: Visit, room: Room, owner: User) -> None:
    talk = long_talk(room, owner, 120)
    say(room, owner, "It was ||the butler||", "\n\n".join(f"Paragraph {number}" for number in range(60)), "the last")
    Message.objects.filter(text="the last").update(reply_to=talk[5])
    have_read(room, owner)
    page = phone(visit, room, owner)
    spoiler = page.get_by_role("button", name="Spoiler", exact=True)
    spoiler.tap()
    expect(page.locator(".spoiler")).to_have_attribute("aria-expanded", "true")
    page.get_by_role("button", name="Show more").tap()
    page.get_by_role("button", name="Show less").tap()
    expect(page.get_by_role("button", name="Show more")).to_have_attribute("aria-expanded", "false")
    row(page, "the last").locator(".quote").tap()
    expect(row(page, "number 5")).to_be_in_viewport()
    page.get_by_role("button", name="Go to the newest message").tap()
    expect(said(page, "the last")).to_be_in_viewport()
    page.get_by_title("Jump to a date").tap()
    dialog = page.get_by_role("dialog", name="Jump to a date")
    dialog.get_by_role("button", name="Cancel").tap()
    expect(dialog).to_be_hidden()


def test_what_could_not_be_sent_is_tried_again_by_touch(visit: Visit, proxy: Proxy, room: Room, owner: User) -> None:
    page = phone(visit, room, owner, through=proxy)
    proxy.answer("403 Forbidden", "Content-Type: application/json\r\n", '{"errors": {"__all__": ["No."]}}', POSTING)
    composer(page).fill("worth keeping")
    page.get_by_role("button", name="Send").tap()
    pending = page.locator(".message--pending")
    expect(pending).to_contain_text("Not sent. No.")
    proxy.pass_on()
    pending.get_by_role("button", name="Retry").tap()
    expect(pending).to_have_count(0)
    expect(rows(page)).to_have_count(1)


def test_pictures_are_sent_and_looked_at_by_touch(visit: Visit, room: Room, owner: User) -> None:
    page = phone(visit, room, owner)
    pick(page, image("one.png"), image("two.png", 300, 300), image("three.png"))
    expect_sent(page, 3)
    page.get_by_role("button", name="Remove three.png").tap()
    page.get_by_role("button", name="Send").tap()
    expect(page.locator("message-list a[data-picture]")).to_have_count(2)
    page.locator("message-list a[data-picture]").first.tap()
    box = page.get_by_role("dialog", name="Picture")
    expect(box).to_contain_text("one.png 1 of 2")
    box.get_by_role("button", name="Next picture").tap()
    expect(box).to_contain_text("two.png 2 of 2")
    box.get_by_role("button", name="Close").tap()
    expect(box).to_be_hidden()
