"""A tab is live again by itself, whatever happened to its connection, and has missed nothing."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from messaging.leaving import close_account, finish_leaving
from project.realtime.hub import STREAMS_PER_VIEWER
from rooms.models import Room
from tests.browser.conftest import Visit, look
from tests.browser.proxy import STREAM, Proxy
from tests.browser.room_page import banner, bodies, expect_live, rows, said, say, write
from tests.conftest import client_of, join
from tests.factories import PASSWORD
from tests.server import ServerProcess
from tests.streams import EventStream

LIVE_AGAIN_MILLISECONDS = 10_000
SILENCE_MILLISECONDS = 51_000
TABS = 10

FAULTS: dict[str, Callable[[Proxy], None]] = {
    "502": lambda proxy: proxy.answer("502 Bad Gateway"),
    "429": lambda proxy: proxy.answer("429 Too Many Requests", headers="Retry-After: 1\r\n"),
    "429 for streams": lambda proxy: proxy.answer("429 Too Many Requests", fits=STREAM),
    "resets": lambda proxy: proxy.reset(),
}


def after(request: str) -> int:
    """Return the cursor in a stream's address."""
    found = re.search(r"[?&]after=(\d+)", request)
    assert found, request
    return int(found[1])


def expect_all(page: Page, texts: list[str]) -> None:
    """Wait for the last of the texts, then see that all are there, in order and once."""
    expect(said(page, texts[-1])).to_be_visible(timeout=LIVE_AGAIN_MILLISECONDS)
    assert bodies(page) == texts


@pytest.mark.parametrize("fault", FAULTS)
def test_tab_is_live_again_after_refusals(visit: Visit, proxy: Proxy, room: Room, owner: User, fault: str) -> None:
    member = join(room, "member")
    page = visit(f"/rooms/{room.slug}/", member, through=proxy)
    (first,) = say(room, owner, "before")
    expect(said(page, "before")).to_be_visible()
    expect(banner(page)).to_have_count(0)
    began = time.monotonic()
    FAULTS[fault](proxy)
    expect(banner(page)).to_have_text("Reconnecting…")
    assert time.monotonic() - began > 1.4, "short breaks are nobody's business"
    proxy.wait_until(lambda: len(proxy.seen(STREAM, passed_on=False)) >= 3)
    say(room, owner, "one", "two", "three")
    proxy.pass_on()
    expect_all(page, ["before", "one", "two", "three"])
    expect(banner(page)).to_have_count(0)
    say(room, owner, "four")
    expect_all(page, ["before", "one", "two", "three", "four"])
    if fault != "resets":  # then the browser comes back by itself, and says the same in a header
        assert after(proxy.seen(STREAM, passed_on=True)[-1]) == first.position


def test_connection_that_died_silently_is_noticed(visit: Visit, proxy: Proxy, room: Room, owner: User) -> None:
    member = join(room, "member")
    page = visit(f"/rooms/{room.slug}/", member, through=proxy, has_own_clock=True)
    (first,) = say(room, owner, "before")
    expect(said(page, "before")).to_be_visible()
    proxy.stall()
    say(room, owner, "one", "two")
    page.clock.fast_forward(SILENCE_MILLISECONDS)
    proxy.wait_until(lambda: len(proxy.seen(STREAM)) == 2)
    assert after(proxy.seen(STREAM)[-1]) == first.position
    expect(banner(page)).to_have_text("Reconnecting…")
    proxy.pass_on()
    expect_all(page, ["before", "one", "two"])
    expect(banner(page)).to_have_count(0)


def test_hidden_tab_gives_its_stream_up_and_goes_on_where_it_was(
    visit: Visit, proxy: Proxy, room: Room, owner: User
) -> None:
    member = join(room, "member")
    page = visit(f"/rooms/{room.slug}/", member, through=proxy, visibility="visible")
    other = page.context.new_page()
    other.goto(f"/rooms/{room.slug}/")
    (first,) = say(room, owner, "before")
    for tab in (page, other):
        expect(said(tab, "before")).to_be_visible()
    look(other, "hidden")  # takes the one place that there is for a hidden tab
    look(page, "hidden")
    proxy.wait_until(lambda: proxy.open(STREAM) == 1)
    say(room, owner, "one", "two")
    expect_all(other, ["before", "one", "two"])
    assert bodies(page) == ["before"]
    look(page, "visible")
    expect_all(page, ["before", "one", "two"])
    assert after(proxy.seen(STREAM)[-1]) == first.position
    expect(banner(page)).to_have_count(0)


def test_ten_tabs_of_one_person_all_work(visit: Visit, proxy: Proxy, room: Room, owner: User) -> None:
    member = join(room, "member")
    tabs = [visit(f"/rooms/{room.slug}/", member, through=proxy, visibility="hidden")]
    for _ in range(TABS - 1):
        tab = tabs[0].context.new_page()
        tab.goto(f"/rooms/{room.slug}/")  # does not hang: a browser has six connections
        tabs.append(tab)
    write(tabs[-1], "from the last one")
    expect(rows(tabs[-1])).to_have_count(1)
    texts = ["from the last one"]
    for number, tab in enumerate(tabs):
        look(tab, "visible")
        texts += [message.text for message in say(room, owner, f"seen by tab {number}")]
        expect_all(tab, texts)
        look(tab, "hidden")
    proxy.wait_until(lambda: proxy.open(STREAM) == 1)


def test_page_gone_back_to_is_live_and_whole(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    page = visit(f"/rooms/{room.slug}/", member)
    say(room, owner, "before")
    expect(said(page, "before")).to_be_visible()
    page.goto("/rooms/")
    say(room, owner, "meanwhile")
    page.go_back()
    expect_all(page, ["before", "meanwhile"])
    say(room, owner, "afterwards")
    expect_all(page, ["before", "meanwhile", "afterwards"])


def test_offline_and_online_again(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    page = visit(f"/rooms/{room.slug}/", member)
    say(room, owner, "before")
    expect(said(page, "before")).to_be_visible()
    page.context.set_offline(True)
    expect(banner(page)).to_have_text("Reconnecting…")
    write(page, "written on the train")
    say(room, owner, "meanwhile")
    expect(page.get_by_text("Not sent yet. Trying again…")).to_be_visible()
    page.context.set_offline(False)
    expect(rows(page)).to_have_count(3, timeout=LIVE_AGAIN_MILLISECONDS)
    expect(banner(page)).to_have_count(0)
    assert bodies(page) == ["before", "meanwhile", "written on the train"]


def test_replaced_tab_rests_until_it_is_told_to_go_on(
    visit: Visit, server: ServerProcess, room: Room, owner: User
) -> None:
    member = join(room, "member")
    page = visit(f"/rooms/{room.slug}/", member)
    expect_live(page)
    with ExitStack() as others:
        for _ in range(STREAMS_PER_VIEWER):
            others.enter_context(EventStream(server, client_of(member), f"/rooms/{room.slug}/stream/"))
        expect(banner(page)).to_contain_text("too many other tabs")
        say(room, owner, "meanwhile")
        page.get_by_role("button", name="Go on here").click()
        expect_all(page, ["meanwhile"])
    expect(banner(page)).to_have_count(0)


def test_reset_loads_the_page_again_once(visit: Visit, proxy: Proxy, room: Room, owner: User) -> None:
    frame = 'event: reset\ndata: {"position": 1}\n\n'
    member = join(room, "member")
    proxy.answer("200 OK", headers="Content-Type: text/event-stream\r\n", body=frame, fits=STREAM)
    page = visit(f"/rooms/{room.slug}/", member, through=proxy)
    expect(banner(page)).to_contain_text("This page is out of date.")
    assert len(proxy.seen(re.compile(f"^GET /rooms/{room.slug}/ "))) == 2
    proxy.pass_on()
    page.get_by_role("link", name="Load it again").click()
    expect_live(page)
    say(room, owner, "live")
    expect_all(page, ["live"])


def test_own_new_password_goes_unnoticed_and_signing_out_does_not(
    visit: Visit, proxy: Proxy, room: Room, owner: User
) -> None:
    member = join(room, "member")
    page = visit(f"/rooms/{room.slug}/", member, through=proxy)
    expect_live(page)
    other = page.context.new_page()
    other.goto("/accounts/password/change/")
    other.get_by_label("Current password").fill(PASSWORD)
    for field in other.get_by_label(re.compile("^New password", re.IGNORECASE)).all():
        field.fill("seven green bicycles")
    other.get_by_role("button", name=re.compile("change|save|set", re.IGNORECASE)).click()
    proxy.wait_until(lambda: len(proxy.seen(STREAM)) == 2)
    say(room, owner, "still with us")
    expect_all(page, ["still with us"])
    expect(banner(page)).to_have_count(0)
    other.get_by_role("button", name="Sign out").click()
    expect(banner(page)).to_contain_text("You are signed out.")
    assert page.get_by_label("Your message", exact=True).is_disabled()


def test_member_whose_account_is_gone_by_now_has_left(
    visit: Visit, server: ServerProcess, room: Room, owner: User
) -> None:
    member = join(room, "member")
    page = visit(f"/rooms/{room.slug}/", owner)
    expect_live(page)
    expect(page.locator("[data-member-count]").first).to_have_text("2")
    server.stop()
    close_account(member, takes_messages=False)
    finish_leaving()
    server.start()
    expect(page.get_by_text("Former member left.")).to_be_visible()
    expect(page.locator("[data-member-count]").first).to_have_text("1")
