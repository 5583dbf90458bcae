"""Two people, two browsers, one room."""

from __future__ import annotations

import re
import uuid

from playwright.sync_api import Route, expect

from accounts.models import User
from messaging.actions import post_message
from messaging.models import Message
from rooms.models import Membership, Room
from tests.browser.conftest import Visit
from tests.browser.proxy import Proxy
from tests.browser.room_page import bodies, composer, expect_live, have_read, rows, said, say, write
from tests.browser.test_reading import long_talk, read_position
from tests.conftest import join
from tests.factories import PASSWORD
from tests.server import ServerProcess


def test_two_people_talk_without_a_reload(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    one, other = visit(f"/rooms/{room.slug}/", owner), visit(f"/rooms/{room.slug}/", member)
    write(one, "Is anybody here?")
    expect(said(other, "Is anybody here?")).to_be_visible()
    write(other, "I am **here**")
    expect(one.locator("strong", has_text="here")).to_be_visible()
    for page in (one, other):
        expect(rows(page)).to_have_count(2)
        assert bodies(page) == ["Is anybody here?", "I am here"]


def test_restart_is_survived_and_nothing_is_lost_or_doubled(
    visit: Visit, server: ServerProcess, room: Room, owner: User
) -> None:
    member = join(room, "member")
    one, other = visit(f"/rooms/{room.slug}/", owner), visit(f"/rooms/{room.slug}/", member)
    write(one, "before")
    expect(said(other, "before")).to_be_visible()
    server.stop()
    post_message(room, author=owner, text="meanwhile", client_id=uuid.uuid4())
    write(other, "written while it was down")
    server.start()
    for page in (one, other):
        expect(said(page, "meanwhile")).to_be_visible()
        expect(said(page, "written while it was down")).to_be_visible()
        expect(rows(page)).to_have_count(3)
        assert bodies(page) == ["before", "meanwhile", "written while it was down"]
    assert Message.objects.count() == 3


def test_stranger_signs_up_joins_and_talks(visit: Visit, room: Room, owner: User) -> None:
    home = visit(f"/rooms/{room.slug}/", owner)
    page = visit("/accounts/signup/")
    page.get_by_label("Email").fill("new@example.org")
    page.get_by_label("Username").fill("newcomer")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name=re.compile("sign up|create", re.IGNORECASE)).click()
    page.get_by_role("link", name="Kitchen").first.click()
    page.get_by_role("button", name="Join").first.click()
    write(page, "Hello, I am new")
    expect(said(home, "Hello, I am new")).to_be_visible()


def test_enter_sends_also_before_the_scripts_have_come(visit: Visit, room: Room, owner: User) -> None:
    held: list[Route] = []
    page = visit("/rooms/", owner)

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/js/room*.js", hold)
    page.get_by_role("link", name="Kitchen").first.click()
    write(page, "faster than the page")
    expect(said(page, "faster than the page")).to_be_visible()
    assert [message.text for message in Message.objects.all()] == ["faster than the page"]
    assert held


def test_removed_person_is_told_and_shown_nothing_more(visit: Visit, private_room: Room, owner: User) -> None:
    member = join(private_room, "member")
    page, other = visit(f"/rooms/{private_room.slug}/", member), visit(f"/rooms/{private_room.slug}/members/", owner)
    write(page, "still here")
    expect(rows(page)).to_have_count(1)
    other.on("dialog", lambda dialog: dialog.accept())
    other.locator("li,tr").filter(has_text="@member").get_by_role("button", name="Remove").click()
    expect(page.get_by_text(re.compile("no longer", re.IGNORECASE))).to_be_visible()
    post_message(private_room, author=owner, text="not for you", client_id=uuid.uuid4())
    assert not Membership.objects.filter(room=private_room, user=member).exists()
    page.reload()
    expect(page.get_by_text("There is nothing here")).to_be_visible()
    expect(page.get_by_text("not for you")).to_have_count(0)


def test_edit_and_delete_show_in_the_other_browser(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    message = post_message(room, author=owner, text="tpyo", client_id=uuid.uuid4()).message
    other = visit(f"/rooms/{room.slug}/", member)
    one = visit(f"/rooms/{room.slug}/messages/{message.pk}/edit/", owner)
    one.get_by_label("Message").fill("typo")
    one.get_by_role("button", name="Save").click()
    expect(said(other, "typo")).to_be_visible()
    expect(other.get_by_text("edited")).to_be_visible()


def test_page_works_without_scripts(visit: Visit, room: Room, owner: User) -> None:
    for number in range(60):
        post_message(room, author=owner, text=f"old {number}", client_id=uuid.uuid4())
    member = join(room, "member")
    page = visit(f"/rooms/{room.slug}/", member, java_script_enabled=False)
    composer(page).fill("from a plain page")
    page.get_by_role("button", name="Send").click()
    expect(said(page, "from a plain page")).to_be_visible()
    page.get_by_role("link", name="Older messages").click()
    expect(said(page, "old 0")).to_be_visible()


def test_hostile_text_is_shown_and_not_run(visit: Visit, room: Room, owner: User) -> None:
    hostile = [
        "<script>window.__x = 1</script>",
        "<img src=x onerror='window.__x = 1'>",
        "[click](javascript:window.__x=1)",
        "<svg/onload=window.__x=1>",
    ]
    page = visit(f"/rooms/{room.slug}/", owner)
    for text in hostile:
        post_message(room, author=owner, text=text, client_id=uuid.uuid4())
    expect(rows(page)).to_have_count(len(hostile))
    page.reload()
    expect(rows(page)).to_have_count(len(hostile))
    assert page.evaluate("window.__x") is None
    assert page.locator("[data-rows] script, [data-rows] img, [data-rows] svg[onload]").count() == 0


def test_page_takes_part_while_it_looks_for_the_message_of_its_address(
    visit: Visit, proxy: Proxy, room: Room, owner: User
) -> None:
    member = join(room, "member")
    long_talk(room, owner, 120)
    have_read(room, member)
    (unread,) = say(room, owner, "unread")
    proxy.hold(re.compile("around="))
    page = visit(f"/rooms/{room.slug}/#message-5", member, through=proxy)
    expect_live(page)
    write(page, "meanwhile")
    expect(page.locator(".message--pending")).to_have_count(0)
    assert read_position(room, member) < unread.position
    proxy.cut(re.compile("around="))
    expect(page.locator("[data-who]")).to_be_visible()
