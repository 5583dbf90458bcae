"""Messages that are edited and deleted, when something comes between."""

from __future__ import annotations

from playwright.sync_api import expect

from accounts.models import User
from messaging.actions import edit_message
from messaging.models import Message
from rooms.actions import change_policy
from rooms.models import Membership, Room
from tests.browser.conftest import Visit
from tests.browser.proxy import STREAM, Proxy
from tests.browser.room_page import composer, expect_live, rows, said, say, stop_clock
from tests.browser.test_answering import act
from tests.browser.test_room import CHANCE_MILLISECONDS


def test_saving_an_edit_takes_the_focus_from_nobody(visit: Visit, proxy: Proxy, room: Room, owner: User) -> None:
    say(room, owner, "tpyo")
    page = visit(f"/rooms/{room.slug}/", owner, through=proxy)
    expect_live(page)
    composer(page).press("ArrowUp")
    page.get_by_label("Edit your message").fill("typo")
    proxy.stall()
    page.get_by_label("Edit your message").press("Enter")
    composer(page).press_sequentially("and ")
    proxy.pass_on()
    expect(said(page, "typo")).to_be_visible()
    expect(page.get_by_label("Edit your message")).to_have_count(0)
    page.keyboard.type("more")
    expect(composer(page)).to_have_value("and more")


def test_edit_that_is_cut_short_can_be_gone_on_with(visit: Visit, room: Room, owner: User) -> None:
    (message,) = say(room, owner, "tpyo")
    page = visit(f"/rooms/{room.slug}/", owner)
    expect_live(page)
    editor = page.get_by_label("Edit your message")
    composer(page).press("ArrowUp")
    editor.fill("typo, and much more")
    with page.expect_navigation():
        change_policy(room, actor=owner, who_posts=Membership.Role.MODERATOR)
    expect_live(page)
    composer(page).press("ArrowUp")
    expect(editor).to_have_value("typo, and much more")
    editor.press("Escape")
    composer(page).press("ArrowUp")
    expect(editor).to_have_value("tpyo")
    # What was begun on another text is not put in the place of this one.
    editor.fill("typo, and much more")
    page.reload()
    edit_message(message, text="other words", actor=owner)
    expect(said(page, "other words")).to_be_visible()
    composer(page).press("ArrowUp")
    expect(editor).to_have_value("other words")


def test_deleted_message_does_not_come_back_while_the_stream_is_away(
    visit: Visit, proxy: Proxy, room: Room, owner: User
) -> None:
    say(room, owner, "away with it", "stays")
    page = visit(f"/rooms/{room.slug}/", owner, through=proxy, has_own_clock=True)
    expect_live(page)
    stop_clock(page)
    proxy.reset(STREAM)
    act(page, "away with it", "Delete")
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    with page.expect_response("**/delete/"):
        page.clock.run_for(CHANCE_MILLISECONDS)
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    expect(rows(page).first).to_contain_text("This message was deleted.")
    expect(said(page, "away with it")).to_have_count(0)


def test_deletion_that_is_undone_in_one_tab_is_so_in_the_other(visit: Visit, room: Room, owner: User) -> None:
    say(room, owner, "on second thought")
    page = visit(f"/rooms/{room.slug}/", owner, has_own_clock=True)
    expect_live(page)
    stop_clock(page)
    act(page, "on second thought", "Delete")
    other = page.context.new_page()
    other.goto(f"/rooms/{room.slug}/")
    other.get_by_role("button", name="Undo").click()
    expect(said(other, "on second thought")).to_be_visible()
    page.clock.run_for(CHANCE_MILLISECONDS)
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    expect(said(page, "on second thought")).to_be_visible()
    assert not Message.objects.filter(deleted_at__isnull=False).exists()


def test_editor_that_opens_late_does_not_take_what_is_typed_meanwhile(
    visit: Visit, proxy: Proxy, room: Room, owner: User
) -> None:
    say(room, owner, "as it was")
    page = visit(f"/rooms/{room.slug}/", owner, through=proxy)
    expect_live(page)
    proxy.stall()
    with page.expect_request("**limit=1"):
        composer(page).press("ArrowUp")
    page.keyboard.type("and ")
    with page.expect_response("**limit=1"):
        proxy.pass_on()
    page.evaluate("() => new Promise(requestAnimationFrame)")
    page.keyboard.type("more")
    expect(composer(page)).to_have_value("and more")
    composer(page).fill("")
    composer(page).press("ArrowUp")
    expect(page.get_by_label("Edit your message")).to_be_focused()
