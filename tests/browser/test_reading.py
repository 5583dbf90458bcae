"""Reading a room: where it opens, what moves and what does not."""

from __future__ import annotations

import re
from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import Locator, Page, Response, expect

from accounts.models import User
from messaging.actions import delete_message, edit_message
from messaging.models import Message
from rooms.actions import archive_room, change_role, remove_member, restore_room, update_room
from rooms.models import Event, Membership, Room
from tests.browser.conftest import Visit
from tests.browser.room_page import bodies, ends_until, expect_live, have_read, row, said, say, write
from tests.conftest import join

MOST_ROWS = 300
SETTLED = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


def scroller(page: Page) -> Locator:
    return page.locator("[data-scroller]")


def scroll_to(page: Page, text: str) -> None:
    """Scroll as a person does: the row's beginning to the middle of the box."""
    row(page, text).evaluate("row => row.scrollIntoView({ block: 'center' })")
    page.evaluate(SETTLED)


def grown_a_little(page: Page, below: str, *, read: str) -> float:
    """Have a row grow by less than half a pixel, and return by how many pixels the box is scrolled."""
    scrolled = page.locator("message-scroller").evaluate(
        """(scroller, [below, read]) => {
            const before = scroller.box.scrollTop;
            const grow = () => { below.style.minBlockSize = `${below.getBoundingClientRect().height + 0.4}px`; };
            scroller.hold(grow, read);
            return scroller.box.scrollTop - before;
        }""",
        [row(page, below).element_handle(), row(page, read).element_handle()],
    )
    page.evaluate(SETTLED)
    return abs(float(scrolled))


def top_of(locator: Locator) -> float:
    box = locator.bounding_box()
    assert box
    return box["y"]


def newest_button(page: Page) -> Locator:
    return page.get_by_role("button", name="Go to the newest message")


def long_talk(room: Room, author: User, count: int) -> list[Message]:
    return say(room, author, *(f"number {number}" for number in range(count)))


def told(response: Response) -> int:
    """Return how far a page told the server that its person has read, or 0."""
    found = re.fullmatch(r"position=(\d+)", response.request.post_data or "")
    return int(found[1]) if found and "/read/" in response.url else 0


def read_position(room: Room, person: User) -> int:
    return Membership.objects.get(room=room, user=person).last_read_position


def test_growing_rows_move_nothing_that_is_being_read(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    talk = long_talk(room, owner, 45)
    have_read(room, member)
    for options in ({}, PHONE):
        page = visit(f"/rooms/{room.slug}/", member, **options)
        expect_live(page)
        scroll_to(page, "number 25")
        place, whole = top_of(row(page, "number 25")), scroller(page).evaluate("box => box.scrollHeight")
        # As an image or reactions do that come late, above what is read and below it.
        for text in ("number 3", "number 5", "number 27", "number 44"):
            row(page, text).evaluate("row => { row.style.minBlockSize = '180px'; }")
            page.evaluate(SETTLED)
            assert abs(top_of(row(page, "number 25")) - place) <= 1
        assert scroller(page).evaluate("box => box.scrollHeight") > whole + 400
        edit_message(talk[26], text="much\n\nlonger\n\nthan\n\nbefore", actor=owner)
        edit_message(talk[10], text="much\n\nlonger\n\nthan\n\nbefore", actor=owner)
        expect(said(page, "longer")).to_have_count(2)
        page.evaluate(SETTLED)
        assert abs(top_of(row(page, "number 25")) - place) <= 1
        edit_message(talk[26], text="number 26", actor=owner)
        edit_message(talk[10], text="number 10", actor=owner)
        expect(said(page, "longer")).to_have_count(0)
        # A part of a pixel is made good with the next one, unless the person has scrolled since then.
        row(page, "number 25").evaluate("row => row.scrollIntoView({ block: 'center' })")
        page.evaluate(SETTLED)
        assert [grown_a_little(page, "number 44", read="number 25") for _ in range(2)] == [0, 1]
        for _ in range(2):
            scroller(page).evaluate("box => box.scrollBy(0, -10)")
            page.evaluate(SETTLED)
            assert grown_a_little(page, "number 44", read="number 25") == 0
        page.context.close()


def test_view_follows_the_end_only_from_near_it_and_ones_own_message_leads_there(
    visit: Visit, room: Room, owner: User
) -> None:
    member = join(room, "member")
    long_talk(room, owner, 40)
    have_read(room, member)
    page = visit(f"/rooms/{room.slug}/", member)
    expect_live(page)
    say(room, owner, "followed")
    expect(said(page, "followed")).to_be_in_viewport()
    scroll_to(page, "number 12")
    say(room, owner, "not followed")
    expect(newest_button(page)).to_contain_text("1 new")
    expect(said(page, "not followed")).not_to_be_in_viewport()
    write(page, "my own")
    expect(said(page, "my own")).to_be_in_viewport()
    expect(newest_button(page)).to_be_hidden()


def test_rows_stay_bounded_and_are_there_again_when_scrolled_to(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    long_talk(room, owner, 480)
    have_read(room, member)
    page = visit(f"/rooms/{room.slug}/", member)
    expect_live(page)
    most = 0
    for _first in ends_until(page, "first", "number 0"):
        most = max(most, page.locator("[data-rows] > li").count())
        scroller(page).evaluate("box => box.scrollTo(0, -box.scrollHeight)")
    assert max(most, page.locator("[data-rows] > li").count()) == MOST_ROWS
    expect(said(page, "number 479")).to_have_count(0)
    say(room, owner, "while far away")
    expect(newest_button(page)).to_contain_text("1 new")
    expect(said(page, "while far away")).to_have_count(0)
    scroll_to(page, "number 250")
    for _last in ends_until(page, "last", "while far away"):
        assert page.locator("[data-rows] > li").count() <= MOST_ROWS
        scroller(page).evaluate("box => box.scrollTo(0, 0)")
    texts = bodies(page)
    assert texts[:-1] == [f"number {number}" for number in range(480 - len(texts) + 1, 480)]
    scroller(page).evaluate("box => box.scrollTo(0, 0)")
    say(room, owner, "live again")
    expect(said(page, "live again")).to_be_in_viewport()
    assert page.locator("[data-rows] > li").count() <= MOST_ROWS


def test_link_to_a_message_opens_around_it_and_joins_the_live_end(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    talk = long_talk(room, owner, 160)
    have_read(room, member)
    for link in ("?at={0}", "#message-{0}", "?at={0}#message-{0}"):
        page = visit(f"/rooms/{room.slug}/" + link.format(talk[60].position), member)
        expect_live(page)
        expect(row(page, "number 60")).to_be_in_viewport()
        expect(row(page, "number 60")).to_have_class(re.compile("message--found"))
        expect(said(page, "number 159")).to_have_count(0)
        say(room, owner, "meanwhile")
        expect(newest_button(page)).to_contain_text("1 new")
        for first in ends_until(page, "first", "number 0"):
            first.scroll_into_view_if_needed()
        for last in ends_until(page, "last", "meanwhile"):
            last.scroll_into_view_if_needed()
        newest_button(page).click()
        say(room, owner, "the end")
        expect(said(page, "the end")).to_be_in_viewport()
        texts = [text for text in bodies(page) if text.startswith("number")]
        assert texts == [f"number {number}" for number in range(160)]
        Message.objects.filter(text__in=("meanwhile", "the end")).delete()
        page.context.close()


def test_jump_to_latest_from_the_middle_is_one_page_and_sending_leads_there_too(
    visit: Visit, room: Room, owner: User
) -> None:
    member = join(room, "member")
    talk = long_talk(room, owner, 200)
    have_read(room, member)
    page = visit(f"/rooms/{room.slug}/?at={talk[50].position}", member)
    expect_live(page)
    newest_button(page).press("Enter")
    expect(said(page, "number 199")).to_be_in_viewport()
    expect(newest_button(page)).to_be_hidden()
    page.goto(f"/rooms/{room.slug}/?at={talk[50].position}")
    expect_live(page)
    write(page, "from the middle")
    expect(said(page, "from the middle")).to_be_in_viewport()
    expect(row(page, "from the middle").locator(".message__status")).to_have_count(0)
    assert bodies(page)[-2:] == ["number 199", "from the middle"]


def test_quote_of_a_message_far_up_leads_to_it_each_time_it_is_pressed(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    talk = long_talk(room, owner, 170)
    Message.objects.filter(pk=talk[169].pk).update(reply_to=talk[5])
    have_read(room, member)
    page = visit(f"/rooms/{room.slug}/", member)
    expect_live(page)
    for _ in range(2):
        row(page, "number 169").locator(".quote").click()
        expect(row(page, "number 5")).to_be_in_viewport()
        expect(row(page, "number 5")).to_have_class(re.compile("message--found"))
        newest_button(page).click()
        expect(said(page, "number 169")).to_be_in_viewport()


def test_message_is_shown_as_it_is_now_each_time_one_comes_back_to_it(visit: Visit, room: Room, owner: User) -> None:
    """It was revised once while it was not in the page, and once while it was."""
    member = join(room, "member")
    talk = long_talk(room, owner, 130)
    have_read(room, member)
    page = visit(f"/rooms/{room.slug}/", member)
    expect_live(page)

    def go_to(message: Message) -> Locator:
        page.evaluate("hash => { location.hash = hash }", f"#message-{message.position}")
        return page.locator(f"#message-{message.position}")

    edit_message(talk[5], text="edited unseen", actor=owner)
    say(room, owner, "then")
    expect(said(page, "then")).to_be_in_viewport()
    expect(go_to(talk[5])).to_contain_text("edited unseen")
    delete_message(talk[5], actor=owner)
    expect(go_to(talk[5])).to_have_class(re.compile("message--deleted"))
    expect(go_to(talk[129])).to_be_in_viewport()
    expect(page.locator(f"#message-{talk[5].position}")).to_have_count(0)
    expect(go_to(talk[5])).to_be_in_viewport()
    expect(go_to(talk[5])).to_have_class(re.compile("message--deleted"))
    expect(page.get_by_text("edited unseen")).to_have_count(0)


def test_jump_to_a_date_finds_the_first_message_of_the_readers_own_day(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    talk = long_talk(room, owner, 130)
    noon = timezone.now().replace(hour=12, minute=0) - timedelta(days=20)
    for number, message in enumerate(talk):
        # Nine an hour and a half; the tenth message of a day in Kiribati is not that of a day in London.
        Message.objects.filter(pk=message.pk).update(created_at=noon + number * timedelta(hours=2))
    have_read(room, member)
    for zone, hours in (("Europe/London", 0), ("Pacific/Kiritimati", 14)):
        page = visit(f"/rooms/{room.slug}/", member, timezone_id=zone)
        expect_live(page)
        page.get_by_title("Jump to a date").click()
        dialog = page.get_by_role("dialog", name="Jump to a date")
        wanted = (noon + timedelta(days=3)).date()
        dialog.get_by_label("Day").fill(wanted.isoformat())
        dialog.get_by_label("Day").press("Enter")
        first = next(n for n in range(130) if (noon + timedelta(hours=hours + 2 * n)).date() == wanted)
        expect(row(page, f"number {first}")).to_have_class(re.compile("message--found"))
        expect(row(page, f"number {first}")).to_be_in_viewport()
        expect(row(page, f"number {first}").locator(".day")).to_be_in_viewport()
        page.context.close()


def test_day_stands_on_top_of_what_is_read(visit: Visit, room: Room, owner: User) -> None:
    talk = long_talk(room, owner, 60)
    yesterday = timezone.now() - timedelta(days=1)
    Message.objects.filter(pk__in=[message.pk for message in talk[:30]]).update(created_at=yesterday)
    Event.objects.filter(position__lt=talk[30].position).update(created_at=yesterday)
    page = visit(f"/rooms/{room.slug}/", owner)
    expect_live(page)
    day = page.locator("[data-day]")
    expect(day).to_have_text("Today")
    scroll_to(page, "number 26")
    expect(day).to_have_text("Yesterday")
    expect(row(page, "number 0")).to_have_count(1)  # headings are made anew when older rows come
    row(page, "number 30").locator(".day").evaluate("day => day.scrollIntoView({ block: 'start' })")
    expect(day).to_be_hidden()
    expect(row(page, "number 30").locator(".day")).to_have_text("Today")


def test_comings_goings_and_changes_are_quiet_lines_live_and_after_a_reload(
    visit: Visit, room: Room, owner: User
) -> None:
    page = visit(f"/rooms/{room.slug}/", owner)
    expect_live(page)
    people = [join(room, name) for name in ("ana", "ben", "cleo", "dora", "eve")]
    lines = page.locator("[data-notice] p")
    expect(lines).to_have_text(
        [re.compile("Olga Owner.? opened this room"), re.compile("Ana.?, .?Ben.? and 3 others joined")]
    )
    say(room, owner, "Welcome")
    member = room.memberships.get(user=people[0])
    change_role(member, role="moderator", actor=owner)
    remove_member(room.memberships.get(user=people[1]), actor=people[1])
    remove_member(room.memberships.get(user=people[2]), actor=owner)
    update_room(room, name="Galley", topic="", actor=people[0])
    expected = [
        re.compile(words)
        for words in (
            "Olga Owner.? opened this room",
            "Ana.?, .?Ben.? and 3 others joined",
            "Olga Owner.? made .?Ana.? a moderator",
            "Ben.? left",
            "Olga Owner.? removed .?Cleo",
            "Ana.? changed the name of this room",
        )
    ]
    for _ in ("live", "after a reload"):
        expect(lines).to_have_text(expected)
        order = page.locator("[data-rows] > li").evaluate_all("rows => rows.map(row => 'notice' in row.dataset)")
        assert order == [True, True, False, True, True, True, True]
        page.reload()
        expect_live(page)
    archive_room(room, actor=owner)
    expect(page.get_by_text("This room is archived: it can be read, but not written in.")).to_be_visible()
    restore_room(room, actor=owner)  # the page loads itself anew
    expect(lines.last).to_contain_text("opened this room again")


def test_edited_message_shows_what_it_said_before(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    (message,) = say(room, owner, "at **six**")
    edit_message(message, text="at seven", actor=owner)
    page = visit(f"/rooms/{room.slug}/", member)
    expect_live(page)
    edit_message(message, text="at eight", actor=owner)
    expect(said(page, "at eight")).to_be_visible()
    for _ in ("live", "after a reload"):
        page.get_by_role("link", name="(edited)").focus()
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog", name="What it said before")
        expect(dialog.get_by_role("listitem").locator(".prose")).to_have_text(["at six", "at seven"])
        expect(dialog.locator("strong")).to_have_text("six")
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        page.reload()
        expect_live(page)
    plain = visit(f"/rooms/{room.slug}/", member, java_script_enabled=False)
    plain.get_by_role("link", name="(edited)").click()
    expect(plain.locator(".revision .prose")).to_have_text(["at six", "at seven"])
