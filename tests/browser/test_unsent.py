"""What was written and not taken is never gone: not when it is refused, nor when two tabs know of it."""

from __future__ import annotations

import re
import uuid

from playwright.sync_api import Locator, Page, Route, expect

from accounts.models import User
from messaging.actions import post_message
from messaging.models import Message
from rooms.models import Room
from rooms.moderation import set_word_filter
from tests.browser.conftest import Visit
from tests.browser.proxy import POSTING, STREAM, Proxy
from tests.browser.room_page import composer, expect_live, have_read, rows, said, say, write
from tests.conftest import join

FORBIDDEN = '{"errors": {"__all__": ["The roof is on fire."]}}'


def pending(page: Page) -> Locator:
    return page.locator(".message--pending")


def hold_posts(page: Page) -> list[Route]:
    """Leave messages on their way until they are let go."""
    held: list[Route] = []

    def catch(route: Route) -> None:
        if route.request.method == "POST":
            held.append(route)
        else:
            route.fallback()

    page.route("**/messages/", catch)
    return held


def test_refused_message_is_kept_beside_the_one_that_is_begun(visit: Visit, room: Room, owner: User) -> None:
    set_word_filter(room, words="shed", actor=owner)
    page = visit(f"/rooms/{room.slug}/", owner)
    expect_live(page)
    held = hold_posts(page)
    with page.expect_request("**/messages/"):
        write(page, "who painted the shed")
    composer(page).fill("by the way")
    held.pop().continue_()
    expect(pending(page)).to_contain_text("who painted the shed")
    expect(pending(page)).to_contain_text("This room does not let “shed” through.")
    expect(composer(page)).to_have_value("by the way")
    # It waits there for a place in the composer.
    page.unroute_all()
    pending(page).get_by_role("button", name="Retry").click()
    expect(pending(page)).to_contain_text("This room does not let “shed” through.")
    composer(page).fill("")
    pending(page).get_by_role("button", name="Retry").click()
    expect(composer(page)).to_have_value("who painted the shed")
    expect(pending(page)).to_have_count(0)
    assert not Message.objects.exists()


def test_unsent_message_is_selected_where_there_is_no_clipboard(
    visit: Visit, proxy: Proxy, room: Room, owner: User
) -> None:
    page = visit("/rooms/", owner, through=proxy)
    page.add_init_script("delete Navigator.prototype.clipboard")  # as on plain HTTP
    page.goto(f"/rooms/{room.slug}/")
    expect_live(page)
    proxy.answer("403 Forbidden", "Content-Type: application/json\r\n", FORBIDDEN, POSTING)
    write(page, "worth keeping")
    pending(page).get_by_role("button", name="Copy").click()
    page.wait_for_function("getSelection().toString() === 'worth keeping'")
    expect(pending(page)).to_contain_text("Not sent. The roof is on fire.")


def test_message_that_is_discarded_in_one_tab_is_not_sent_by_another(
    visit: Visit, proxy: Proxy, room: Room, owner: User
) -> None:
    page = visit(f"/rooms/{room.slug}/", owner, through=proxy)
    expect_live(page)
    proxy.reset(POSTING)
    write(page, "better not")
    expect(pending(page)).to_contain_text("Not sent yet.")
    other = page.context.new_page()
    other.goto(f"/rooms/{room.slug}/")
    pending(other).get_by_role("button", name="Delete").click()
    expect(pending(page)).to_have_count(0)
    proxy.pass_on()
    write(page, "this one")
    for each in (page, other):
        expect(said(each, "this one")).to_be_visible()
    expect(rows(page)).to_have_count(1)
    assert list(Message.objects.values_list("text", flat=True)) == ["this one"]


def test_message_whose_answer_is_lost_is_shown_once_when_its_page_of_history_comes_first(
    visit: Visit, proxy: Proxy, room: Room, owner: User
) -> None:
    member = join(room, "member")
    say(room, owner, *(f"number {number}" for number in range(120)))
    have_read(room, member)
    page = visit(f"/rooms/{room.slug}/?at=10#message-10", member, through=proxy)
    expect_live(page)
    proxy.reset(re.compile(f"{STREAM.pattern}|{POSTING.pattern}"))
    write(page, "from the middle")
    expect(pending(page)).to_contain_text("Not sent yet.")
    client_id = uuid.UUID(pending(page).get_attribute("data-client-id"))
    post_message(room, author=member, text="from the middle", client_id=client_id)  # it came, and its answer did not
    page.evaluate("document.querySelector('earshot-room').dispatchEvent(new Event('to-latest'))")
    expect(rows(page).last).to_contain_text("from the middle")
    proxy.reset(POSTING)
    say(room, owner, "afterwards")
    expect(said(page, "afterwards")).to_be_visible()
    expect(pending(page)).to_have_count(0)
    expect(said(page, "from the middle")).to_have_count(1)
