"""The messages by the keyboard alone, and what a screen reader is told by itself."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from messaging.actions import delete_message, edit_message
from messaging.models import Message
from messaging.reactions import add_reaction
from rooms.models import Membership, Room
from tests.browser.conftest import Visit
from tests.browser.proxy import POSTING, STREAM, Proxy
from tests.browser.room_page import composer, expect_live, have_read, row, rows, said, say, write
from tests.browser.test_reading import long_talk
from tests.conftest import join
from tests.server import ServerProcess

HEARD = """() => {
  window.heard = [];
  const announcer = document.querySelector("[data-announcer]");
  const note = (changes) => changes.flatMap(({ addedNodes }) => [...addedNodes])
    .forEach(({ textContent }) => window.heard.push(textContent.trim()));
  new MutationObserver(note).observe(announcer, { childList: true, characterData: true, subtree: true });
}"""
SAID_MILLISECONDS = 10_000
ON_FIRE = '{"errors": {"__all__": ["The roof is on fire."]}}'
MOST_STOPS = 12  # from the composer back to the last message
STOPS = (
    """() => [...document.querySelectorAll("[data-rows] *, [data-rows]")].filter((each) => each.tabIndex >= 0).length"""
)


def focused_text(page: Page) -> str:
    return str(page.evaluate("document.activeElement.querySelector?.('.message__body')?.innerText ?? ''")).strip()


def into_the_messages(page: Page) -> None:
    """Go back from the composer until a message has the focus."""
    composer(page).focus()
    for _ in range(4):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement.matches('[data-rows] *')"):
            return
    raise AssertionError("the messages can't be reached by Tab")


def test_messages_are_one_stop_and_arrows_go_between_them(visit: Visit, room: Room, owner: User) -> None:
    say(room, owner, "one", "two [with](https://example.org/) a link", "three")
    page = visit(f"/rooms/{room.slug}/", owner)
    expect_live(page)
    assert page.evaluate(STOPS) == 2  # the newest row, and its time
    into_the_messages(page)
    page.keyboard.press("Escape")
    assert focused_text(page) == "three"
    second = "two with (example.org) a link"
    for key, text in (("ArrowUp", second), ("Home", "one"), ("ArrowUp", "one"), ("End", "three")):
        page.keyboard.press(key)
        assert focused_text(page) == text
    page.keyboard.press("Home")
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.closest('[data-rows]')") is None
    page.keyboard.press("Tab")
    assert focused_text(page) == "one"


def test_every_action_is_reached_and_used_by_keys(visit: Visit, room: Room, owner: User) -> None:
    say(room, owner, "keep me", "change me")
    page = visit(f"/rooms/{room.slug}/", owner)
    expect_live(page)
    into_the_messages(page)
    page.keyboard.press("Escape")
    reached = []
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.dataset.do ?? document.activeElement.className"))
    assert reached == ["message__time", "reply", "react", "forward", "copy", "pin", "edit", "delete"]
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Edit your message")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("changed")
    page.keyboard.press("ArrowUp")  # belongs to the text
    expect(page.get_by_label("Edit your message")).to_be_focused()
    page.keyboard.press("Enter")
    expect(said(page, "changed")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Home")
    assert focused_text(page) == "keep me"
    for _ in range(8):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    page.goto("/rooms/")  # who leaves the page has made up their mind
    page.go_back()
    expect(page.locator(".message__gone")).to_be_visible()
    assert Message.objects.get(text="changed").deleted_at is None


def test_focus_stays_with_a_message_that_changes(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    first, _second = say(room, member, "first words", "more words")
    page = visit(f"/rooms/{room.slug}/", owner)
    expect_live(page)
    into_the_messages(page)
    page.keyboard.press("Home")
    assert focused_text(page) == "first words"
    edit_message(first, text="other words", actor=member)
    expect(said(page, "other words")).to_be_visible()
    page.wait_for_function("() => document.activeElement.innerText.includes('other words')")
    say(room, member, "newer words")
    expect(said(page, "newer words")).to_be_visible()
    assert focused_text(page) == "other words"
    delete_message(first, actor=member)
    page.wait_for_function("() => document.activeElement.querySelector('.message__gone')")
    page.keyboard.press("ArrowDown")
    assert focused_text(page) == "more words"


def test_new_messages_of_others_are_told_once_and_nothing_else(
    visit: Visit, server: ServerProcess, room: Room, owner: User
) -> None:
    member = join(room, "member", Membership.Role.MODERATOR)
    say(room, member, *(f"history {number}" for number in range(60)))
    have_read(room, owner)
    page = visit(f"/rooms/{room.slug}/", owner)
    expect_live(page)
    page.evaluate(HEARD)
    (told,) = say(room, member, "news")
    expect(said(page, "news")).to_be_visible()
    write(page, "my own")
    expect(page.locator(".message--pending")).to_have_count(0)
    page.locator("more-messages[data-way=before]").scroll_into_view_if_needed()
    expect(said(page, "history 0")).to_be_attached()
    edit_message(told, text="old news", actor=member)
    expect(said(page, "old news")).to_be_visible()
    say(room, member, "the last")
    expect(said(page, "the last")).to_be_attached()
    assert page.evaluate("heard") == ["Member: news", "Member: the last"]
    assert page.locator("[data-announcer][aria-live=polite]").count() == 1
    expect(rows(page)).to_have_count(63)


def test_every_message_of_a_burst_is_told(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    page = visit(f"/rooms/{room.slug}/", owner, has_own_clock=True)
    expect_live(page)
    page.evaluate(HEARD)
    texts = [f"news {number}" for number in range(12)]
    say(room, member, *texts)
    expect(said(page, texts[-1])).to_be_visible()
    lines = page.locator("[data-announcer] > p")
    expect(lines).to_have_text([f"Member: {text}" for text in texts])
    assert page.evaluate("heard") == [f"Member: {text}" for text in texts]
    page.clock.run_for(SAID_MILLISECONDS)
    expect(lines).to_have_count(0)


def test_who_goes_to_the_newest_message_by_keyboard_is_there(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    say(room, member, *(f"number {number}" for number in range(40)))
    have_read(room, owner)
    page = visit(f"/rooms/{room.slug}/", owner)
    expect_live(page)
    page.locator("more-messages[data-way=before]").evaluate(
        "each => each.parentElement.parentElement.scrollTo(0, -5000)"
    )
    button = page.get_by_role("button", name="Go to the newest message")
    button.press("Enter")
    expect(button).to_be_hidden()
    assert focused_text(page) == "number 39"


def test_who_goes_to_a_message_by_keyboard_is_there(visit: Visit, room: Room, owner: User) -> None:
    """One that is not in the page, by a quote of it and by its date; opening the page moves the focus to none."""
    talk = long_talk(room, owner, 170)
    Message.objects.filter(pk=talk[169].pk).update(reply_to=talk[5])
    long_ago = timezone.now() - timedelta(days=3)
    Message.objects.filter(pk__in=[message.pk for message in talk[:60]]).update(created_at=long_ago)
    have_read(room, owner)
    page = visit(f"/rooms/{room.slug}/", owner)
    expect_live(page)
    quote = row(page, "number 169").locator(".quote")
    quote.focus()
    quote.press("Enter")
    expect(row(page, "number 5")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(row(page, "number 6")).to_be_focused()
    page.goto(f"/rooms/{room.slug}/")
    expect_live(page)
    page.get_by_title("Jump to a date").press("Enter")
    day = page.get_by_role("dialog", name="Jump to a date").get_by_label("Day")
    day.fill(long_ago.date().isoformat())
    day.press("Enter")
    expect(row(page, "number 0")).to_be_focused()
    page.goto("/rooms/")
    page.goto(f"/rooms/{room.slug}/#message-{talk[7].position}")
    expect_live(page)
    expect(row(page, "number 7")).to_be_in_viewport()
    expect(row(page, "number 7")).not_to_be_focused()


def test_messages_missed_while_one_wrote_are_told(visit: Visit, proxy: Proxy, room: Room, owner: User) -> None:
    member = join(room, "member")
    page = visit(f"/rooms/{room.slug}/", owner, through=proxy)
    expect_live(page)
    page.evaluate(HEARD)
    proxy.reset(STREAM)
    say(room, member, "missed")
    write(page, "my own")  # is stored after it, and shown before
    expect(page.locator(".message--pending")).to_have_count(0)
    expect(said(page, "my own")).to_be_visible()
    proxy.pass_on()
    expect(said(page, "missed")).to_be_visible()
    assert page.evaluate("heard") == ["Member: missed"]


def test_message_that_could_not_be_sent_is_told_once_and_seen_to_by_keys(
    visit: Visit, proxy: Proxy, room: Room, owner: User
) -> None:
    page = visit(f"/rooms/{room.slug}/", owner, through=proxy, permissions=["clipboard-read", "clipboard-write"])
    expect_live(page)
    page.evaluate(HEARD)
    proxy.answer("403 Forbidden", "Content-Type: application/json\r\n", ON_FIRE, POSTING)
    write(page, "worth keeping")
    pending = page.locator(".message--pending")
    expect(pending).to_contain_text("Not sent. The roof is on fire.")
    assert page.evaluate("heard") == ["Not sent. The roof is on fire."]
    retry, copy, delete = (pending.get_by_role("button", name=name) for name in ("Retry", "Copy", "Delete"))
    for _ in range(MOST_STOPS):
        if delete.evaluate("button => button === document.activeElement"):
            break
        page.keyboard.press("Shift+Tab")
    expect(delete).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(copy).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_function("async () => (await navigator.clipboard.readText()) === 'worth keeping'")
    page.keyboard.press("Shift+Tab")
    expect(retry).to_be_focused()
    proxy.pass_on()
    page.keyboard.press("Enter")
    expect(pending).to_have_count(0)
    expect(said(page, "worth keeping")).to_be_visible()


def test_escape_closes_one_thing_at_a_time(visit: Visit, room: Room, owner: User) -> None:
    (message,) = say(room, owner, "Cake")
    add_reaction(message, emoji="🎂", actor=owner)
    page = visit(f"/rooms/{room.slug}/", owner)
    expect_live(page)
    mine, who = page.locator(".reaction"), page.locator("[data-who]")
    mine.focus()
    mine.dispatch_event("contextmenu")
    expect(who).to_be_visible()
    page.keyboard.press("Escape")
    expect(who).to_be_hidden()
    expect(mine).to_be_focused()
    page.keyboard.press("Escape")
    expect(rows(page)).to_be_focused()
    # The same in an editor, above which something is said.
    composer(page).press("ArrowUp")
    editor = page.get_by_label("Edit your message")
    editor.fill("Two cakes")
    who.evaluate("each => each.showPopover()")
    page.keyboard.press("Escape")
    expect(who).to_be_hidden()
    expect(editor).to_have_value("Two cakes")
    page.keyboard.press("Escape")
    expect(editor).to_have_count(0)
