"""What is done with messages that are there: reactions, mentions, forwarding, deleting with a way back."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from messaging.actions import delete_message, edit_message
from messaging.models import Message, Reaction
from messaging.reactions import add_reaction
from rooms.models import Room
from tests.browser.conftest import Visit
from tests.browser.proxy import POSTING, STREAM, Proxy
from tests.browser.room_page import banner, composer, expect_live, row, rows, said, say, stop_clock, write
from tests.browser.test_room import CHANCE_MILLISECONDS
from tests.browser.test_writing import PHONE
from tests.conftest import join
from tests.factories import MembershipFactory, RoomFactory

DELETING = re.compile(r"^POST \S+/delete/")


def act(page: Page, text: str, action: str) -> None:
    row(page, text).hover()
    row(page, text).get_by_role("button", name=action).click()


def reaction(page: Page, text: str, emoji: str) -> Locator:
    return row(page, text).locator(".reaction", has_text=emoji)


def test_reaction_is_added_and_joined_with_one_tap(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    say(room, owner, "Cake in the kitchen")
    page, other = visit(f"/rooms/{room.slug}/", owner), visit(f"/rooms/{room.slug}/", member, **PHONE)
    expect_live(page)
    expect_live(other)
    act(page, "Cake in the kitchen", "React")
    page.get_by_role("combobox", name="Search emoji").fill("cake")
    page.get_by_role("option", name="birthday cake").click()
    theirs = reaction(other, "Cake in the kitchen", "🎂")
    expect(theirs).to_have_attribute("aria-pressed", "false")
    expect(theirs).to_have_accessible_description("Olga Owner")
    theirs.tap()
    for each in (page, other):
        mine = reaction(each, "Cake in the kitchen", "🎂")
        expect(mine).to_have_text(re.compile(r"🎂\s+2"))
        expect(mine).to_have_attribute("title", "Olga Owner, Member")
        expect(mine).to_have_attribute("aria-pressed", "true")
    page.reload()
    mine = reaction(page, "Cake in the kitchen", "🎂")
    expect(mine).to_have_attribute("aria-pressed", "true")
    mine.dispatch_event("contextmenu")
    expect(page.get_by_text("🎂 Olga Owner, Member")).to_be_visible()
    page.keyboard.press("Escape")
    mine.focus()
    page.keyboard.press("Enter")
    expect(mine).to_have_attribute("aria-pressed", "false")
    expect(reaction(other, "Cake in the kitchen", "🎂")).to_have_text(re.compile(r"🎂\s+1"))
    theirs.tap()
    for each in (page, other):
        expect(each.locator(".reaction")).to_have_count(0)
    assert Reaction.objects.count() == 0


def test_reaction_that_is_refused_goes_back_and_says_why(visit: Visit, proxy: Proxy, room: Room, owner: User) -> None:
    member = join(room, "member")
    (message,) = say(room, owner, "Cake")
    add_reaction(message, emoji="🎂", actor=owner)
    page = visit(f"/rooms/{room.slug}/", member, through=proxy)
    expect_live(page)
    body = '{"errors": {"__all__": ["That was too often. Wait a minute and try again."]}}'
    proxy.answer("429 Too Many Requests", "Content-Type: application/json\r\n", body, re.compile("reactions/"))
    reaction(page, "Cake", "🎂").click()
    expect(page.locator("[data-answered]")).to_have_text("That was too often. Wait a minute and try again.")
    expect(reaction(page, "Cake", "🎂")).to_have_text(re.compile(r"🎂\s+1"))
    expect(reaction(page, "Cake", "🎂")).to_have_attribute("aria-pressed", "false")


def test_stream_that_resumes_shows_reactions_once(visit: Visit, proxy: Proxy, room: Room, owner: User) -> None:
    member = join(room, "member")
    (message,) = say(room, owner, "Cake")
    page = visit(f"/rooms/{room.slug}/", owner, through=proxy)
    expect_live(page)
    proxy.reset(STREAM)
    for actor in (owner, member):
        add_reaction(message, emoji="🎂", actor=actor)
    proxy.pass_on()
    expect(reaction(page, "Cake", "🎂")).to_have_text(re.compile(r"🎂\s+2"))
    expect(page.locator(".reaction")).to_have_count(1)


def test_who_is_called_sees_it_in_the_room_and_from_elsewhere(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    elsewhere = RoomFactory.create(name="Cellar", actor=member)
    page = visit(f"/rooms/{elsewhere.slug}/", member)
    link = page.get_by_role("navigation").get_by_role("link", name="Kitchen")
    expect_live(page)
    say(room, owner, "nobody in particular")
    expect(link).to_have_accessible_name("Kitchen unread")
    say(room, owner, "ask @member", "@room supper")
    expect(link).to_have_accessible_name("Kitchen 2 mentions unread")
    page.reload()
    expect(link).to_have_accessible_name("Kitchen 2 mentions unread")
    link.click()
    expect(page.locator(".mention--me")).to_have_text(["@member", "@room"])
    other = visit(f"/rooms/{room.slug}/", owner)
    expect(other.locator(".mention--me")).to_have_text(["@room"])


def test_deleted_message_can_be_had_back_for_a_while(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    say(room, owner, "not like that", "like this")
    page, other = visit(f"/rooms/{room.slug}/", owner, has_own_clock=True), visit(f"/rooms/{room.slug}/", member)
    expect_live(page)
    expect_live(other)
    stop_clock(page)
    act(page, "not like that", "Delete")
    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_be_focused()
    expect(page.get_by_text("not like that")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(said(page, "not like that")).to_be_visible()
    page.clock.run_for(CHANCE_MILLISECONDS * 2)
    assert not Message.objects.filter(deleted_at__isnull=False).exists()
    act(page, "not like that", "Delete")
    expect(undo).to_be_visible()
    # What others do meanwhile draws the row anew; it stays as it is.
    add_reaction(Message.objects.get(text="not like that"), emoji="👍", actor=member)
    expect(page.locator(".message--leaving .reaction")).to_be_attached()
    expect(undo).to_be_visible()
    expect(said(other, "not like that")).to_be_visible()
    page.clock.run_for(CHANCE_MILLISECONDS)
    for each in (page, other):
        expect(rows(each).first).to_contain_text("This message was deleted.")
    expect(undo).to_have_count(0)


def test_leaving_the_page_deletes(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    say(room, owner, "away with it", "stays")
    page, other = visit(f"/rooms/{room.slug}/", owner, has_own_clock=True), visit(f"/rooms/{room.slug}/", member)
    expect_live(other)
    expect_live(page)
    stop_clock(page)
    act(page, "away with it", "Delete")
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    assert Message.objects.filter(text="away with it").exists()
    page.goto("/rooms/")
    expect(rows(other).first).to_contain_text("This message was deleted.")
    assert list(Message.objects.values_list("text", flat=True)) == ["", "stays"]


def test_signing_out_deletes_before_it_forgets(visit: Visit, room: Room, owner: User) -> None:
    say(room, owner, "away with it")
    page = visit(f"/rooms/{room.slug}/", owner, has_own_clock=True)
    expect_live(page)
    stop_clock(page)
    act(page, "away with it", "Delete")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/accounts/login/**")
    assert Message.objects.get().is_deleted
    assert page.evaluate("Object.keys(localStorage).length") == 0


def test_deletion_that_could_not_be_sent_is_sent_by_the_next_page(
    visit: Visit, proxy: Proxy, room: Room, owner: User
) -> None:
    say(room, owner, "away with it")
    page = visit(f"/rooms/{room.slug}/", owner, through=proxy, has_own_clock=True)
    expect_live(page)
    stop_clock(page)
    act(page, "away with it", "Delete")
    proxy.reset(DELETING)
    page.goto("/rooms/")
    proxy.wait_until(lambda: len(proxy.seen(DELETING)) > 0)
    assert Message.objects.filter(text="away with it").exists()
    proxy.pass_on()
    page.goto(f"/rooms/{room.slug}/")
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    page.clock.run_for(CHANCE_MILLISECONDS)
    expect(rows(page).first).to_contain_text("This message was deleted.")


def test_message_is_forwarded_to_another_room(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    target = RoomFactory.create(name="Cellar", actor=owner)
    MembershipFactory.create(room=target, member=member)
    say(room, owner, "The **key** is here")
    page, other = visit(f"/rooms/{room.slug}/", member), visit(f"/rooms/{target.slug}/", owner)
    expect_live(page)
    act(page, "The key is here", "Forward")
    dialog = page.get_by_role("dialog", name="Forward this message")
    dialog.get_by_label("To").select_option("Cellar")
    dialog.get_by_role("button", name="Forward").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("[data-answered]")).to_have_text("Forwarded to Cellar.")
    expect(other.locator("blockquote")).to_have_text(re.compile("The key is here"))
    expect(rows(other)).to_have_text([re.compile("— Olga Owner in #kitchen")])
    assert Message.objects.filter(room=target).count() == 1


def test_what_could_not_be_sent_can_be_copied_and_deleted(visit: Visit, proxy: Proxy, room: Room, owner: User) -> None:
    page = visit(f"/rooms/{room.slug}/", owner, through=proxy, permissions=["clipboard-read", "clipboard-write"])
    expect_live(page)
    body = '{"errors": {"__all__": ["The roof is on fire."]}}'
    proxy.answer("403 Forbidden", "Content-Type: application/json\r\n", body, POSTING)
    write(page, "worth keeping")
    pending = page.locator(".message--pending")
    expect(pending).to_contain_text("Not sent. The roof is on fire.")
    page.reload()
    expect(pending).to_contain_text("Not sent. The roof is on fire.")
    pending.get_by_role("button", name="Copy").click()
    page.wait_for_function("async () => (await navigator.clipboard.readText()) === 'worth keeping'")
    proxy.pass_on()
    pending.get_by_role("button", name="Retry").click()
    expect(rows(page)).to_have_count(1)
    expect(pending).to_have_count(0)
    proxy.answer("403 Forbidden", "Content-Type: application/json\r\n", body, POSTING)
    write(page, "not worth it")
    pending.get_by_role("button", name="Delete").click()
    expect(pending).to_have_count(0)
    proxy.pass_on()
    page.reload()
    expect(rows(page)).to_have_count(1)
    expect(pending).to_have_count(0)


def test_what_waits_is_counted_while_offline(visit: Visit, proxy: Proxy, room: Room, owner: User) -> None:
    page = visit(f"/rooms/{room.slug}/", owner, through=proxy)
    expect_live(page)
    proxy.reset()
    expect(banner(page)).to_have_text("Reconnecting…")
    for number, text in enumerate(("one", "two"), start=1):
        write(page, text)
        expect(banner(page)).to_have_text(f"Reconnecting: {number} waiting")
    composer(page).fill("three, begun")
    proxy.pass_on()
    expect(rows(page)).to_have_count(2)
    expect(banner(page)).to_have_count(0)
    expect(composer(page)).to_have_value("three, begun")
    assert list(Message.objects.order_by("position").values_list("text", flat=True)) == ["one", "two"]


def test_draft_stays_in_its_room_and_goes_at_sign_out(visit: Visit, room: Room, owner: User) -> None:
    other = RoomFactory.create(name="Cellar", actor=owner)
    page = visit(f"/rooms/{room.slug}/", owner)
    composer(page).fill("for the kitchen")
    page.goto(f"/rooms/{other.slug}/")
    expect_live(page)
    expect(composer(page)).to_have_value("")
    composer(page).fill("for the cellar")
    page.goto(f"/rooms/{room.slug}/")
    expect(composer(page)).to_have_value("for the kitchen")
    assert page.evaluate("Object.keys(localStorage).filter(key => key.includes('draft')).length") == 2
    page.get_by_role("button", name="Sign out").first.click()
    page.wait_for_url(re.compile("/accounts/|/$"))
    assert page.evaluate("Object.keys(localStorage).length") == 0


def test_quote_is_plain(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    say(room, owner, "a **bold** `word`")
    page, other = visit(f"/rooms/{room.slug}/", member), visit(f"/rooms/{room.slug}/", owner)
    expect_live(other)
    act(page, "bold", "Reply")
    write(page, "indeed")
    for each in (page, other):
        expect(row(each, "indeed").locator(".quote__text")).to_have_text("a bold word")
    page.reload()
    expect(row(page, "indeed").locator(".quote__text")).to_have_text("a bold word")


def test_editor_goes_on_while_others_react(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    (message,) = say(room, owner, "tpyo")
    page = visit(f"/rooms/{room.slug}/", owner)
    expect_live(page)
    composer(page).press("ArrowUp")
    editor = page.get_by_label("Edit your message")
    editor.press("Home")
    editor.press("Delete")
    add_reaction(message, emoji="👀", actor=member)
    expect(page.locator(".reaction")).to_be_visible()
    expect(editor).to_be_focused()
    expect(editor).to_have_value("pyo")
    edit_message(message, text="typo", actor=owner)
    expect(page.locator(".message__edited")).to_be_visible()
    expect(editor).to_have_value("pyo")
    delete_message(message, actor=owner)
    expect(editor).to_have_count(0)
