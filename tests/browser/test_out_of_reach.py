"""What is pressed while the server can't be reached, or has forgotten who asks: nothing breaks, nothing is wiped."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from accounts.models import User
from messaging.actions import edit_message
from messaging.pinning import pin_message
from rooms.models import Room
from tests.browser.conftest import Visit
from tests.browser.proxy import Proxy
from tests.browser.room_page import banner, composer, expect_live, have_read, rows, said, say, write

HISTORY = re.compile(r"^GET \S+/messages/\?")


def test_link_to_a_message_that_is_not_here_is_harmless_out_of_reach(
    visit: Visit, proxy: Proxy, room: Room, owner: User
) -> None:
    say(room, owner, *(f"number {number}" for number in range(120)))
    have_read(room, owner)
    page = visit(f"/rooms/{room.slug}/", owner, through=proxy)
    expect_live(page)
    proxy.reset(HISTORY)
    page.evaluate("location.hash = '#message-5'")
    proxy.wait_until(lambda: bool(proxy.seen(re.compile("around=5"))))
    expect(page.locator("[data-who]")).to_be_visible()
    page.reload()  # opened with it
    expect_live(page)
    expect(said(page, "number 119")).to_be_visible()


def test_jump_to_a_date_out_of_reach(visit: Visit, proxy: Proxy, room: Room, owner: User) -> None:
    say(room, owner, "today")
    page = visit(f"/rooms/{room.slug}/", owner, through=proxy)
    expect_live(page)
    proxy.reset(HISTORY)
    page.evaluate("document.querySelector('[data-jump-to-date]').showModal()")
    page.get_by_label("Day", exact=True).fill("2024-01-31")
    page.get_by_role("button", name="Jump", exact=True).click()
    expect(page.locator("[data-who]")).to_be_visible()
    expect(rows(page)).to_have_count(1)


def test_edits_out_of_reach(visit: Visit, proxy: Proxy, room: Room, owner: User) -> None:
    (message,) = say(room, owner, "first")
    edit_message(message, text="second", actor=owner)
    page = visit(f"/rooms/{room.slug}/", owner, through=proxy)
    expect_live(page)
    proxy.reset(re.compile("revisions/"))
    page.get_by_role("link", name="(edited)").click()
    expect(page.locator("[data-who]")).to_be_visible()


def test_editing_out_of_reach(visit: Visit, proxy: Proxy, room: Room, owner: User) -> None:
    say(room, owner, "first")
    page = visit(f"/rooms/{room.slug}/", owner, through=proxy)
    expect_live(page)
    proxy.reset(HISTORY)
    composer(page).press("ArrowUp")
    expect(page.locator("[data-who]")).to_be_visible()


def test_open_list_of_pins_out_of_reach(visit: Visit, proxy: Proxy, room: Room, owner: User) -> None:
    one, two = say(room, owner, "one", "two")
    pin_message(one, actor=owner)
    page = visit(f"/rooms/{room.slug}/", owner, through=proxy)
    expect_live(page)
    page.get_by_role("link", name="Pinned messages:").click()
    expect(page.get_by_role("dialog", name="Pinned messages")).to_be_visible()
    proxy.reset(re.compile("pins/"))
    pin_message(two, actor=owner)
    proxy.wait_until(lambda: len(proxy.seen(re.compile("pins/"), passed_on=False)) == 1)
    expect(page.locator("[data-pin-count]")).to_have_text("2")


def test_message_written_in_the_middle_waits_out_of_reach(visit: Visit, proxy: Proxy, room: Room, owner: User) -> None:
    say(room, owner, *(f"number {number}" for number in range(120)))
    have_read(room, owner)
    page = visit(f"/rooms/{room.slug}/?at=10#message-10", owner, through=proxy)
    expect_live(page)
    proxy.reset()
    write(page, "on the train")
    expect(banner(page)).to_have_text("Reconnecting: 1 waiting")
    expect(said(page, "number 10")).to_be_visible()
    proxy.pass_on()
    expect(banner(page)).to_have_count(0)
    page.get_by_role("button", name="Go to the newest message").click()
    expect(said(page, "on the train")).to_be_in_viewport()


def test_signed_out_page_keeps_its_rows(visit: Visit, proxy: Proxy, room: Room, owner: User) -> None:
    say(room, owner, *(f"number {number}" for number in range(120)))
    have_read(room, owner)
    page = visit(f"/rooms/{room.slug}/", owner, through=proxy)
    expect_live(page)
    # As on plain HTTP, where no header tells a script's request from a visit.
    proxy.answer("302 Found", "Location: /accounts/login/\r\n", fits=HISTORY)
    count = rows(page).count()
    with page.expect_response("**/accounts/login/"):
        page.evaluate("location.hash = '#message-5'")
    expect(page.locator("[data-who]")).to_be_visible()
    assert rows(page).count() >= count
    expect(page.get_by_text("The beginning of Kitchen")).to_be_hidden()
