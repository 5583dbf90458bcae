"""What a person sees and does on a room's page."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Literal

from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from messaging.actions import post_message
from messaging.models import Message
from rooms.actions import mark_read
from rooms.models import Room


def say(room: Room, author: User, *texts: str) -> list[Message]:
    """Have somebody write messages whose pages are elsewhere."""
    return [post_message(room, author=author, text=text, client_id=uuid.uuid4()).message for text in texts]


def have_read(room: Room, person: User) -> None:
    """Have somebody been through everything in a room, so that its page opens at the end."""
    room.refresh_from_db()
    mark_read(room.memberships.select_related("room").get(user=person), position=room.last_position)


def composer(page: Page) -> Locator:
    return page.get_by_label("Your message", exact=True)


def write(page: Page, text: str) -> None:
    composer(page).fill(text)
    composer(page).press("Enter")


def rows(page: Page) -> Locator:
    return page.locator("[data-rows] > li.message[data-position]")


def row(page: Page, text: str) -> Locator:
    return page.locator("[data-rows] > li", has=page.get_by_text(text, exact=True))


def said(page: Page, text: str) -> Locator:
    return page.locator("[data-rows] .message__body").get_by_text(text, exact=True)


def bodies(page: Page) -> list[str]:
    return [text.strip() for text in page.locator("[data-rows] .message__body").all_inner_texts()]


def ends_until(page: Page, edge: Literal["first", "last"], wanted: str) -> Iterator[Locator]:
    """Yield the row at one end, to be scrolled to, and wait for those beyond it, until a text is among them."""
    while True:
        end = getattr(page.locator("[data-rows] > li"), edge)
        position = end.get_attribute("data-position")  # before we look: more may be coming already
        if said(page, wanted).count():
            return
        yield end
        expect(end).not_to_have_attribute("data-position", position or "")


def banner(page: Page) -> Locator:
    """The sentence that says why the page is not live."""
    return page.locator("connection-state p:visible")


def expect_live(page: Page) -> None:
    """Wait until the stream is open: it says at once who is here."""
    expect(page.locator("[data-here-count]:visible")).not_to_be_empty()


def stop_clock(page: Page) -> None:
    """Let no time pass, in a page that `has_own_clock`, but what `page.clock.run_for` gives it."""
    page.clock.pause_at(page.evaluate("Date.now()") / 1_000 + 1)
