"""What is unread: where it begins, what counts as read, and where it is told."""

from __future__ import annotations

import re

from playwright.sync_api import Route, expect

from accounts.models import User
from messaging.actions import edit_message
from rooms.actions import mark_read
from rooms.models import Room
from tests.browser.conftest import Visit, look
from tests.browser.proxy import STREAM, Proxy
from tests.browser.room_page import expect_live, have_read, row, said, say, stop_clock, write
from tests.browser.test_reading import long_talk, newest_button, read_position, scroll_to, scroller, told
from tests.browser.test_writing import PHONE
from tests.conftest import join
from tests.factories import MembershipFactory, RoomFactory

READING = re.compile(r"^POST \S+/read/")
IS_MARKED = "button => getComputedStyle(button, '::after').content === '\"\"'"
SETTLED = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


def test_room_opens_where_the_unread_begins_and_the_mark_stays(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    long_talk(room, owner, 20)
    have_read(room, member)
    say(room, owner, *(f"unread {number}" for number in range(120)))
    page = visit(f"/rooms/{room.slug}/", member)
    expect_live(page)
    mark = page.locator(".message__first-unread")
    expect(row(page, "unread 0").locator(".message__first-unread")).to_be_in_viewport()
    expect(newest_button(page)).to_contain_text(re.compile(r"\d+ new"))
    say(room, owner, "and another")
    with page.expect_response(re.compile("/read/")):
        newest_button(page).click()
        expect(said(page, "and another")).to_be_in_viewport()
    expect(mark).to_have_count(0)
    page.reload()
    expect_live(page)
    expect(mark).to_have_count(0)
    say(room, owner, "while I look")
    expect(said(page, "while I look")).to_be_in_viewport()
    expect(mark).to_have_count(0)


def test_what_could_not_be_told_as_read_is_told_at_the_next_look_and_not_over_and_over(
    visit: Visit, room: Room, owner: User
) -> None:
    member = join(room, "member")
    have_read(room, member)
    page = visit(f"/rooms/{room.slug}/", member, has_own_clock=True)
    expect_live(page)
    tries: list[Route] = []

    def refuse(route: Route) -> None:
        tries.append(route)
        route.abort()

    page.route("**/read/", refuse)
    with page.expect_event("requestfailed"):
        (message,) = say(room, owner, "new")
    expect(said(page, "new")).to_be_in_viewport()
    stop_clock(page)
    page.clock.run_for(20_000)
    with page.expect_event("requestfailed"):
        page.evaluate("dispatchEvent(new Event('focus'))")
    assert len(tries) == 2
    page.unroute("**/read/")
    page.clock.run_for(2_000)
    with page.expect_response(lambda response: told(response) == message.position):
        page.evaluate("dispatchEvent(new Event('focus'))")
    assert read_position(room, member) == message.position


def test_only_rows_that_were_seen_in_a_focused_window_count_as_read(
    visit: Visit, proxy: Proxy, room: Room, owner: User
) -> None:
    member = join(room, "member")
    talk = long_talk(room, owner, 60)
    mark_read(room.memberships.select_related("room").get(user=member), position=talk[9].position)
    page = visit(f"/rooms/{room.slug}/", member, through=proxy, visibility="visible")
    expect_live(page)
    with page.expect_response(lambda response: told(response) >= talk[40].position):
        scroll_to(page, "number 40")
    expect(said(page, "number 59")).not_to_be_in_viewport()
    assert talk[9].position < read_position(room, member) < talk[58].position
    look(page, "hidden")
    place = read_position(room, member)
    scroller(page).evaluate("box => box.scrollTo(0, 0)")
    page.evaluate(SETTLED)
    before = len(proxy.seen(READING))
    with page.expect_response(re.compile("/read/")):
        assert (read_position(room, member), len(proxy.seen(READING))) == (place, before)
        look(page, "visible")
    assert read_position(room, member) == talk[59].position


def test_reading_in_one_tab_is_known_in_the_others_at_once(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    other = RoomFactory.create(name="Cellar", actor=owner)
    MembershipFactory.create(room=other, member=member)
    tab, device = visit(f"/rooms/{room.slug}/", member), visit("/rooms/", member)
    device.goto(f"/rooms/{room.slug}/")
    link = device.get_by_role("navigation").get_by_role("link", name="Cellar")
    icon = device.locator("link[rel=icon]")
    for each in (tab, device):
        expect_live(each)
    say(other, owner, "It is dark in here")
    expect(link).to_have_accessible_name("Cellar unread")
    expect(device).to_have_title(re.compile("^• Kitchen"))
    expect(icon).to_have_attribute("href", re.compile("favicon-unread"))
    tab.get_by_role("navigation").get_by_role("link", name="Cellar").click()
    expect(said(tab, "It is dark in here")).to_be_visible()
    expect(link).to_have_accessible_name("Cellar")
    expect(device).to_have_title(re.compile("^Kitchen"))
    expect(icon).not_to_have_attribute("href", re.compile("unread"))


def test_phone_shows_beside_the_menu_that_there_is_something_unread(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    other = RoomFactory.create(name="Cellar", actor=owner)
    MembershipFactory.create(room=other, member=member)
    page = visit(f"/rooms/{room.slug}/", member, **PHONE)
    expect_live(page)

    def is_marked() -> bool:
        return bool(page.locator(".room__header .menu-button").evaluate(IS_MARKED))

    assert not is_marked()
    (message,) = say(other, owner, "It is dark in here")
    expect(page).to_have_title(re.compile("^•"))
    assert is_marked()
    page.reload()
    assert is_marked()
    mark_read(other.memberships.select_related("room").get(user=member), position=message.position)
    expect(page).to_have_title(re.compile("^Kitchen"))
    assert not is_marked()


def test_room_that_was_read_elsewhere_is_calm(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    have_read(room, member)
    tab, device = (visit(f"/rooms/{room.slug}/", member, visibility="visible") for _ in range(2))
    for each in (tab, device):
        expect_live(each)
        look(each, "hidden")
    say(room, owner, "One", "Two")
    icon = tab.locator("link[rel=icon]")
    expect(tab).to_have_title(re.compile(r"^\(2\) Kitchen"))
    expect(icon).to_have_attribute("href", re.compile("favicon-unread"))
    look(device, "visible")
    expect(tab).to_have_title(re.compile("^Kitchen"))
    expect(icon).not_to_have_attribute("href", re.compile("unread"))


def test_what_waits_further_down_is_counted_no_more_once_it_was_read_elsewhere(
    visit: Visit, room: Room, owner: User
) -> None:
    member = join(room, "member")
    long_talk(room, owner, 60)
    have_read(room, member)
    tab, device = (visit(f"/rooms/{room.slug}/", member, visibility="visible") for _ in range(2))
    for each in (tab, device):
        expect_live(each)
    look(device, "hidden")
    scroll_to(tab, "number 20")
    say(room, owner, "One", "Two")
    expect(newest_button(tab)).to_contain_text("2 new")
    look(device, "visible")
    expect(newest_button(tab)).not_to_contain_text("2 new")
    expect(said(tab, "Two")).not_to_be_in_viewport()


def test_mark_of_the_unread_stays_where_it_was_put_while_one_stays(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    long_talk(room, owner, 3)
    have_read(room, member)
    unread = say(room, owner, *(f"unread {number}" for number in range(5)))
    page = visit(f"/rooms/{room.slug}/", member, visibility="hidden")
    expect_live(page)
    with page.expect_response(lambda response: told(response) >= unread[4].position):
        look(page, "visible")
    marks = page.locator(".message__first-unread")
    first = page.locator(f"#message-{unread[0].position} .message__first-unread")

    def expect_one() -> None:
        expect(first).to_be_visible()
        expect(marks).to_have_count(1)

    say(room, owner, "and another")
    expect(said(page, "and another")).to_be_visible()
    expect_one()
    write(page, "Mine")
    expect(said(page, "Mine")).to_be_visible()
    expect_one()
    edit_message(unread[0], text="unread 0, and edited", actor=owner)
    expect(row(page, "unread 0, and edited")).to_be_visible()
    expect_one()
    for state in ("hidden", "visible"):
        look(page, state)
    say(room, owner, "and one more")
    expect(said(page, "and one more")).to_be_visible()
    expect_one()


def test_nothing_counts_as_read_in_a_window_that_has_not_the_focus(
    visit: Visit, proxy: Proxy, room: Room, owner: User
) -> None:
    member = join(room, "member")
    have_read(room, member)
    page = visit(f"/rooms/{room.slug}/", member, through=proxy)
    expect_live(page)
    page.evaluate("document.hasFocus = () => false")
    before, (message,) = len(proxy.seen(READING)), say(room, owner, "seen from afar")
    expect(said(page, "seen from afar")).to_be_in_viewport()
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    page.evaluate(SETTLED)
    assert (len(proxy.seen(READING)), read_position(room, member) < message.position) == (before, True)
    page.evaluate("document.hasFocus = () => true")
    with page.expect_response(lambda response: told(response) >= message.position):
        page.evaluate("window.dispatchEvent(new Event('focus'))")
    assert read_position(room, member) == message.position


def test_unread_from_here_stays_unread_until_one_comes_back(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    other = RoomFactory.create(name="Cellar", actor=owner)
    MembershipFactory.create(room=other, member=member)
    talk = long_talk(room, owner, 6)
    have_read(room, member)
    page, elsewhere = visit(f"/rooms/{room.slug}/", member), visit(f"/rooms/{other.slug}/", member)
    for each in (page, elsewhere):
        expect_live(each)
    row(page, "number 3").locator(".message__time").focus()
    button = row(page, "number 3").get_by_role("button", name="Mark unread from here")
    button.focus()
    page.keyboard.press("Enter")
    expect(row(page, "number 3").locator(".message__first-unread")).to_be_visible()
    for each in (page, elsewhere):
        expect(each.get_by_role("link", name="Kitchen unread")).to_be_visible()
    assert read_position(room, member) == talk[3].position - 1
    say(room, owner, "seen, and not read")
    expect(said(page, "seen, and not read")).to_be_in_viewport()
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    page.goto(f"/rooms/{other.slug}/")
    expect_live(page)
    assert read_position(room, member) == talk[3].position - 1
    page.goto(f"/rooms/{room.slug}/")
    expect(row(page, "number 3").locator(".message__first-unread")).to_be_visible()
    expect(elsewhere.get_by_role("link", name="Kitchen", exact=True)).to_be_visible()


def test_title_and_icon_count_what_came_while_nobody_looked(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    page = visit(f"/rooms/{room.slug}/", member, visibility="visible")
    expect_live(page)
    look(page, "hidden")
    say(room, owner, "one", "two")
    expect(page).to_have_title(re.compile(r"^\(2\) Kitchen"))
    expect(page.locator("link[rel=icon]")).to_have_attribute("href", re.compile("favicon-unread"))
    assert page.request.get(page.locator("link[rel=icon]").get_attribute("href") or "").ok
    look(page, "visible")
    expect(page).to_have_title(re.compile("^Kitchen"))
    expect(page.locator("link[rel=icon]")).not_to_have_attribute("href", re.compile("unread"))


def test_what_was_never_shown_is_not_read_by_writing_below_it(
    visit: Visit, proxy: Proxy, room: Room, owner: User
) -> None:
    member = join(room, "member")
    have_read(room, member)
    page = visit(f"/rooms/{room.slug}/", member, through=proxy)
    expect_live(page)
    proxy.reset(STREAM)
    (missed,) = say(room, owner, "missed")
    write(page, "my own")
    expect(page.locator(".message--pending")).to_have_count(0)
    expect(said(page, "my own")).to_be_visible()
    page.evaluate("dispatchEvent(new Event('focus'))")
    page.evaluate("fetch('/healthz')")  # whatever was told before has been heard by then
    assert read_position(room, member) < missed.position
    proxy.pass_on()
    expect(said(page, "missed")).to_be_visible()
    page.evaluate("dispatchEvent(new Event('focus'))")
    proxy.wait_until(lambda: len(proxy.seen(READING)) > 0)


def test_unread_from_here_says_so_if_it_could_not_be_told(visit: Visit, proxy: Proxy, room: Room, owner: User) -> None:
    member = join(room, "member")
    say(room, owner, "come back to this")
    page = visit(f"/rooms/{room.slug}/", member, through=proxy)
    expect_live(page)
    proxy.reset(re.compile("unread/"))
    row(page, "come back to this").hover()
    page.get_by_role("button", name="Mark unread from here").click()
    expect(page.locator("[data-who]")).to_have_text("That could not be sent.")
