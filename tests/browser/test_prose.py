"""What people wrote, as it is read: code, long messages, spoilers, links."""

from __future__ import annotations

from playwright.sync_api import expect

from accounts.models import User
from messaging.actions import edit_message
from rooms.models import Room
from tests.browser.conftest import DESKTOP, Visit
from tests.browser.room_page import composer, expect_live, have_read, row, rows, said, say, write
from tests.browser.test_reading import top_of
from tests.conftest import join

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


def test_code_is_coloured_and_copied(visit: Visit, room: Room, owner: User) -> None:
    say(room, owner, "look:\n```python\nreturn {'key': 1}\n```")
    page = visit(f"/rooms/{room.slug}/", owner, permissions=["clipboard-read", "clipboard-write"])
    expect_live(page)
    assert page.locator(".prose pre .k").evaluate("e => getComputedStyle(e).color") != page.locator(
        ".prose pre"
    ).evaluate("e => getComputedStyle(e).color")
    page.get_by_role("button", name="Copy code").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-announcer]")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == "return {'key': 1}\n"


def test_long_message_is_folded_and_unfolded_where_it_is_read(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    say(room, owner, *(f"number {number}" for number in range(20)))
    long, *_ = say(room, owner, "\n\n".join(f"line {number}" for number in range(40)), "after it")
    have_read(room, member)
    for options in ({}, PHONE):
        page = visit(f"/rooms/{room.slug}/", member, **options)
        expect_live(page)
        message = page.locator(f"#message-{long.position}")
        button = message.get_by_role("button", name="Show more")
        folded = message.bounding_box()
        assert folded
        assert folded["height"] < DESKTOP["height"] / 2
        place = top_of(message)
        button.press("Enter")
        less = message.get_by_role("button", name="Show less")
        expect(less).to_have_attribute("aria-expanded", "true")
        assert abs(top_of(message) - place) <= 1
        edit_message(long, text="\n\n".join(f"row {number}" for number in range(40)), actor=owner)
        expect(said(page, "row 39")).to_be_attached()
        expect(less).to_be_visible()
        less.click()
        expect(message.get_by_role("button", name="Show more")).to_have_attribute("aria-expanded", "false")
        edit_message(long, text="\n\n".join(f"line {number}" for number in range(40)), actor=owner)
        page.context.close()


def test_spoiler_is_covered_until_it_is_asked_for(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    page = visit(f"/rooms/{room.slug}/", member)
    expect_live(page)
    say(room, owner, "it was ||the [cook](https://x.example/)||")
    for press in ("keyboard", "mouse"):
        spoiler = page.get_by_role("button", name="Spoiler", exact=True)
        expect(spoiler).to_have_attribute("aria-expanded", "false")
        expect(page.get_by_role("link", name="cook")).to_have_count(0)
        expect(page.locator("[data-announcer]")).not_to_contain_text("cook")
        if press == "keyboard":
            spoiler.focus()
            page.keyboard.press(" ")
        else:
            spoiler.click()
        expect(page.locator(".spoiler")).to_have_attribute("aria-expanded", "true")
        expect(page.locator(".spoiler a")).to_be_visible()
        page.reload()
        expect_live(page)
    rows(page).first.hover()
    page.get_by_role("button", name="Reply", exact=True).click()
    expect(page.locator("reply-bar")).to_contain_text("it was ▒▒▒")
    write(page, "really?")
    expect(row(page, "really?").locator(".quote")).to_contain_text("it was ▒▒▒")
    page.reload()
    expect(row(page, "really?").locator(".quote")).to_contain_text("it was ▒▒▒")


def test_links_say_where_they_go_and_emoji_alone_are_large(visit: Visit, room: Room, owner: User) -> None:
    page = visit(f"/rooms/{room.slug}/", owner)
    expect_live(page)
    here = page.evaluate("location.origin")
    say(room, owner, "[the plan](https://x.example/a)", f"see {here}/rooms/", "🎉🎉", "🎉 yes")
    expect(rows(page)).to_have_count(4)
    for _ in ("live", "after a reload"):
        link = page.get_by_role("link", name="the plan (x.example)")
        expect(link).to_have_attribute("title", "https://x.example/a")
        expect(link).to_have_attribute("target", "_blank")
        assert "↗" in link.evaluate("link => getComputedStyle(link, '::after').content")
        own = page.get_by_role("link", name=f"{here}/rooms/")
        expect(own).not_to_have_attribute("target", "_blank")
        assert own.evaluate("link => getComputedStyle(link, '::after').content") == "none"
        sizes = page.locator(".message__body p").evaluate_all(
            "all => all.map(p => parseFloat(getComputedStyle(p).fontSize))"
        )
        assert sizes[2] > 2 * sizes[3]
        page.reload()
        expect_live(page)
    expect(composer(page)).to_be_visible()
