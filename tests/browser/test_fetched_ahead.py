"""A room's page is fetched while the pointer rests on its link, and is as true as one that was fetched at the click."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from playwright.sync_api import Browser, Locator, Page, Playwright, expect

from accounts.models import User
from rooms.actions import remove_member
from rooms.models import Membership, Room
from tests.browser.conftest import Visit
from tests.browser.launch import launched
from tests.browser.room_page import banner, bodies, expect_live, have_read, said, say
from tests.conftest import client_of, join
from tests.factories import MembershipFactory, RoomFactory

AHEAD = "() => performance.getEntriesByType('navigation')[0].deliveryType === 'navigational-prefetch'"


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    with launched(playwright, is_whole=True) as chromium:  # the headless shell fetches nothing ahead
        yield chromium


@pytest.fixture
def elsewhere(room: Room, owner: User) -> Room:
    other = RoomFactory.create(name="Elsewhere", actor=owner)
    say(other, owner, "what was said before")
    have_read(other, owner)
    return other


def rest_on(page: Page, room: Room) -> None:
    """Leave the pointer on a room's link until its page has been fetched."""
    with page.context.expect_event("requestfinished", lambda request: request.url.endswith(f"/rooms/{room.slug}/")):
        link(page, room).hover()


def link(page: Page, room: Room) -> Locator:
    return page.locator(f".sidebar [data-room='{room.slug}']")


def test_page_that_was_fetched_ahead_shows_what_was_said_since(
    visit: Visit, room: Room, elsewhere: Room, owner: User
) -> None:
    member = join(elsewhere, "member")
    page = visit(f"/rooms/{room.slug}/", owner)
    expect_live(page)
    rest_on(page, elsewhere)
    say(elsewhere, member, "said meanwhile")
    link(page, elsewhere).click()
    expect(said(page, "said meanwhile")).to_be_visible()
    expect_live(page)
    assert page.evaluate(AHEAD)
    assert bodies(page) == ["what was said before", "said meanwhile"]


def test_fetching_ahead_reads_nothing_and_enters_nowhere(
    visit: Visit, room: Room, elsewhere: Room, owner: User
) -> None:
    member = join(elsewhere, "member")
    there = visit(f"/rooms/{elsewhere.slug}/", member)
    expect_live(there)
    say(elsewhere, member, "not read yet")
    before = list(Membership.objects.order_by("pk").values_list("pk", "last_read_position"))
    page = visit(f"/rooms/{room.slug}/", owner)
    expect_live(page)
    rest_on(page, elsewhere)
    assert list(Membership.objects.order_by("pk").values_list("pk", "last_read_position")) == before
    expect(there.locator("[data-here-count]").first).to_have_text(re.compile("^1"))


def test_page_that_was_fetched_before_one_was_removed_shows_nothing_newer(
    visit: Visit, room: Room, owner: User
) -> None:
    member = join(room, "member")
    private = RoomFactory.create(name="Private", kind="private", actor=owner)
    mine = MembershipFactory.create(room=private, member=member)
    page = visit(f"/rooms/{room.slug}/", member)
    expect_live(page)
    rest_on(page, private)
    remove_member(mine, actor=owner)
    say(private, owner, "not for them")
    link(page, private).click()
    expect(banner(page)).to_contain_text("no longer in this room")
    expect(said(page, "not for them")).to_have_count(0)


def test_rules_are_for_rooms_in_the_list_alone_and_named_by_rooms_alone(room: Room, owner: User) -> None:
    client = client_of(owner)
    address = client.get(f"/rooms/{room.slug}/").headers["Speculation-Rules"].strip('"')
    assert "Speculation-Rules" not in client.get("/rooms/").headers
    answer = Client().get(address)
    assert answer.headers["Content-Type"] == "application/speculationrules+json"
    assert answer.json() == {
        "prefetch": [{"where": {"selector_matches": ".sidebar [data-room]"}, "eagerness": "moderate"}]
    }
    assert Client().post(address).status_code == 405
