"""What a room's page does besides showing messages."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from messaging.actions import delete_message, edit_message
from messaging.models import Message
from messaging.typing import SECONDS as SHOWN_SECONDS
from rooms.models import Room
from tests.browser.conftest import Visit
from tests.browser.proxy import POSTING, STREAM, Proxy
from tests.browser.room_page import (
    bodies,
    composer,
    expect_live,
    have_read,
    row,
    rows,
    said,
    say,
    stop_clock,
    write,
)
from tests.conftest import join
from tests.factories import MembershipFactory, RoomFactory

CHANCE_MILLISECONDS = 8_000  # to undo a deletion
TYPING = re.compile(r"^POST \S+/typing/")


def act(page: Page, text: str, action: str) -> None:
    """Press one of the buttons of the message that says the text."""
    row(page, text).hover()
    row(page, text).get_by_role("button", name=action).click()


def scroller(page: Page) -> Locator:
    return page.locator("[data-scroller]")


def top_of(locator: Locator) -> float:
    box = locator.bounding_box()
    assert box
    return box["y"]


def test_reply_quotes_the_message_and_leads_to_it(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    (original,) = say(room, owner, "Who has the key?")
    page, other = visit(f"/rooms/{room.slug}/", member), visit(f"/rooms/{room.slug}/", owner)
    answers = page.get_by_role("group", name="Your message answers")
    act(page, "Who has the key?", "Reply")
    expect(answers).to_contain_text("Olga Owner Who has the key?")
    expect(composer(page)).to_be_focused()
    composer(page).press("Escape")
    expect(answers).to_be_hidden()
    # Once more, by the keyboard alone.
    row(page, "Who has the key?").locator(".message__time").focus()
    page.keyboard.press("Tab")
    expect(row(page, "Who has the key?").get_by_role("button", name="Reply")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.type("I do")
    page.reload()
    expect(answers).to_contain_text("Who has the key?")
    composer(page).press("Enter")
    expect(answers).to_be_hidden()
    for each in (page, other):
        quote = row(each, "I do").locator(".quote")
        expect(quote).to_have_text(re.compile(r"Olga Owner\s+Who has the key\?"))
        expect(quote).to_have_attribute("href", f"#message-{original.position}")
    assert Message.objects.get(text="I do").reply_to == original


def test_quote_says_what_the_message_says_now(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    (original,) = say(room, owner, "Who has the key?")
    page = visit(f"/rooms/{room.slug}/", member)
    act(page, "Who has the key?", "Reply")
    write(page, "I do")
    quote = row(page, "I do").locator(".quote")
    expect(quote).to_contain_text("Who has the key?")
    edit_message(original, text="Who has the lamp?", actor=owner)
    expect(quote).to_contain_text("Who has the lamp?")
    delete_message(original, actor=owner)
    expect(quote).to_contain_text("This message was deleted.")
    expect(page.get_by_text("Who has the lamp?")).to_have_count(0)


def test_reply_on_its_way_shows_its_quote(visit: Visit, proxy: Proxy, room: Room, owner: User) -> None:
    member = join(room, "member")
    say(room, owner, "Who has the key?")
    page = visit(f"/rooms/{room.slug}/", member, through=proxy)
    proxy.reset()
    act(page, "Who has the key?", "Reply")
    write(page, "I do")
    pending = page.locator(".message--pending")
    expect(pending.locator(".quote")).to_contain_text("Who has the key?")
    proxy.pass_on()
    expect(row(page, "I do").locator(".quote")).to_contain_text("Who has the key?")
    expect(pending).to_have_count(0)
    assert Message.objects.get(text="I do").reply_to is not None


def test_typing_is_told_now_and_then_and_moves_nothing(visit: Visit, proxy: Proxy, room: Room, owner: User) -> None:
    say(room, owner, "Good morning")
    members = [join(room, name) for name in ("ana", "ben", "cleo")]
    page = visit(f"/rooms/{room.slug}/", owner, has_own_clock=True)
    others = [visit(f"/rooms/{room.slug}/", person, through=proxy) for person in members]
    line = page.locator("typing-line")
    for each in (page, *others):
        expect_live(each)
    height = top_of(row(page, "Good morning"))
    sentences = ("Ana is typing…", "Ana and Ben are typing…", "Several people are typing…")
    for other, sentence in zip(others, sentences, strict=True):
        composer(other).press_sequentially("good morning")
        expect(line).to_have_text(sentence)
    assert top_of(row(page, "Good morning")) == height
    assert len(proxy.seen(TYPING)) == len(members), "one telling for a whole word"
    expect(others[0].locator("typing-line")).not_to_contain_text("Ana")
    composer(others[0]).press("Enter")
    expect(said(page, "good morning")).to_be_visible()
    expect(line).to_have_text("Ben and Cleo are typing…")
    page.clock.fast_forward(SHOWN_SECONDS * 1000)
    expect(line).to_be_empty()


def test_presence_shows_who_is_here(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    join(room, "absent")
    page = visit(f"/rooms/{room.slug}/", owner)
    here = page.get_by_role("listitem").filter(has=page.locator("[data-here]:not([hidden])"))
    expect(page.locator(".room__aside .here-count")).to_have_text("1 here")
    expect(here).to_have_text([re.compile("Olga Owner")])
    other = visit(f"/rooms/{room.slug}/", member)
    expect(page.locator(".room__aside .here-count")).to_have_text("2 here")
    expect(here).to_have_text([re.compile("Olga Owner"), re.compile("Member")])
    other.context.close()
    expect(here).to_have_text([re.compile("Olga Owner")])
    expect(page.locator(".room__aside .here-count")).to_have_text("1 here")


def test_other_room_is_marked_as_unread_without_a_reload(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    other = RoomFactory.create(name="Cellar", actor=owner)
    MembershipFactory.create(room=other, member=member)
    page = visit(f"/rooms/{room.slug}/", member)
    link = page.get_by_role("navigation").get_by_role("link", name="Cellar")
    expect_live(page)
    expect(link).to_have_accessible_name("Cellar")
    say(other, owner, "It is dark in here")
    expect(link).to_have_accessible_name("Cellar unread")
    link.click()
    expect(said(page, "It is dark in here")).to_be_visible()
    expect(link).to_have_accessible_name("Cellar")


def test_message_is_edited_in_its_place_and_deleted(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    page, other = visit(f"/rooms/{room.slug}/", member, has_own_clock=True), visit(f"/rooms/{room.slug}/", owner)
    write(page, "tpyo")
    expect(said(other, "tpyo")).to_be_visible()
    composer(page).press("ArrowUp")
    editor = page.get_by_label("Edit your message")
    expect(editor).to_have_value("tpyo")
    editor.fill("typo")
    editor.press("Enter")
    for each in (page, other):
        expect(said(each, "typo")).to_be_visible()
        expect(row(each, "typo")).to_contain_text("(edited)")
    stop_clock(page)
    act(page, "typo", "Delete")
    page.clock.run_for(CHANCE_MILLISECONDS)
    for each in (page, other):
        expect(rows(each)).to_have_text([re.compile("This message was deleted.")])
        expect(each.get_by_text("typo", exact=True)).to_have_count(0)


def test_actions_are_those_that_the_viewer_may_take(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    say(room, owner, "by the owner")
    say(room, member, "by the member")
    everybody = ["Reply", "React", "Forward", "Copy link"]
    for viewer, text, names in (
        (owner, "by the owner", [*everybody, "Pin", "Edit", "Delete"]),
        (owner, "by the member", [*everybody, "Mark unread from here", "Pin", "Report", "Delete"]),
        (member, "by the owner", [*everybody, "Mark unread from here", "Report"]),
        (member, "by the member", [*everybody, "Edit", "Delete"]),
    ):
        page = visit(f"/rooms/{room.slug}/", viewer)
        row(page, text).hover()
        buttons = row(page, text).get_by_role("group", name="Actions").get_by_role("button")
        expect(buttons).to_have_text(names)
        page.context.close()


def test_new_messages_below_are_counted_and_gone_to(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    say(room, owner, *(f"old {number}" for number in range(40)))
    page = visit(f"/rooms/{room.slug}/", member)
    expect_live(page)
    scroller(page).evaluate("box => box.scrollTo(0, -600)")
    button = page.get_by_role("button", name="Go to the newest message")
    expect(button).to_be_visible()
    height = top_of(row(page, "old 20"))
    say(room, owner, *(f"new {number}" for number in range(1, 12)))
    expect(button).to_contain_text("11 new")
    expect(said(page, "new 11")).not_to_be_in_viewport()
    assert abs(top_of(row(page, "old 20")) - height) <= 1
    button.click()
    expect(said(page, "new 11")).to_be_in_viewport()
    expect(button).to_be_hidden()


def test_older_messages_come_while_scrolling_and_keep_the_place(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    say(room, owner, *(f"number {number}" for number in range(120)))
    have_read(room, member)
    page = visit(f"/rooms/{room.slug}/", member)
    expect_live(page)
    count = rows(page).count()
    assert count < 120
    seen = row(page, f"number {120 - count}")
    scroller(page).hover()
    with page.expect_response(re.compile("before=")):
        seen.scroll_into_view_if_needed()
        place = top_of(seen)
    expect(said(page, f"number {119 - count}")).to_be_attached()
    assert abs(top_of(seen) - place) <= 1
    scroller(page).evaluate("box => box.scrollTo(0, -box.scrollHeight)")
    expect(said(page, "number 0")).to_be_attached()
    scroller(page).evaluate("box => box.scrollTo(0, -box.scrollHeight)")
    expect(page.get_by_text("The beginning of Kitchen")).to_be_in_viewport()
    assert bodies(page) == [f"number {number}" for number in range(120)]


def test_draft_and_unsent_message_survive_a_reload_and_are_sent_once(
    visit: Visit, proxy: Proxy, room: Room, owner: User
) -> None:
    member = join(room, "member")
    page, other = visit(f"/rooms/{room.slug}/", member, through=proxy), visit(f"/rooms/{room.slug}/", owner)
    expect_live(page)
    proxy.swallow_answers(POSTING)
    proxy.cut(STREAM)  # nor does it hear by its stream that the message is there
    write(page, "sent into the dark")
    expect(said(other, "sent into the dark")).to_be_visible()
    expect(page.get_by_text("Not sent yet. Trying again…")).to_be_visible()
    write(page, "and another one")
    composer(page).fill("half a thought")
    proxy.reset(POSTING)
    page.reload()
    expect(composer(page)).to_have_value("half a thought")
    expect(page.locator(".message--pending .message__body")).to_have_text(["and another one"])
    proxy.pass_on()
    expect(said(other, "and another one")).to_be_visible()
    for each in (page, other):
        expect(rows(each)).to_have_count(2)
        assert bodies(each) == ["sent into the dark", "and another one"]
    assert list(Message.objects.order_by("position").values_list("text", flat=True)) == bodies(page)


def test_too_many_messages_wait_and_say_for_how_long(visit: Visit, proxy: Proxy, room: Room, owner: User) -> None:
    page = visit(f"/rooms/{room.slug}/", owner, through=proxy, has_own_clock=True)
    expect_live(page)
    proxy.answer("429 Too Many Requests", headers="Retry-After: 120\r\n", fits=POSTING)
    write(page, "one")
    pause = page.locator("send-pause [data-shown]")
    expect(pause).to_contain_text(re.compile(r"goes out in 1\d\d s"))
    write(page, "two")
    page.clock.fast_forward(60_000)
    expect(pause).to_contain_text(re.compile(r"goes out in [3-5]\d s"))
    assert len(proxy.seen(POSTING)) == 1, "the server is left alone meanwhile"
    proxy.pass_on()
    page.clock.fast_forward(60_000)
    expect(rows(page)).to_have_count(2)
    expect(pause).to_be_hidden()
    assert bodies(page) == ["one", "two"]
