"""What open pages show and offer when a room changes its kind, is archived or vanishes."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from rooms import actions
from rooms.models import Room
from tests.browser.conftest import Visit
from tests.browser.room_page import row, say
from tests.conftest import join, leave
from tests.factories import MessageFactory, RoomFactory


def test_open_pages_learn_that_a_room_is_private_and_then_that_it_is_gone(
    visit: Visit, room: Room, owner: User
) -> None:
    member = join(room, "member")
    other = RoomFactory.create(name="Other", actor=owner)
    actions.add_member(other, member=member, actor=owner)
    # Another one's page: what the member has open, the member reads, and nothing of it stays unread.
    here, elsewhere = visit(f"/rooms/{room.slug}/", join(room, "reader")), visit(f"/rooms/{other.slug}/", member)
    link = elsewhere.locator(f'.room-link[data-room="{room.slug}"]')
    expect(here.get_by_text("Private room")).to_have_count(0)
    actions.change_kind(room, kind=Room.Kind.PRIVATE, actor=owner)
    expect(here.get_by_text("Private room")).to_have_count(1)
    MessageFactory.create(room=room, author=owner)
    # By its mark, the process is known to have looked up what its viewer reads.
    expect(link.locator("[data-unread]").first).to_be_visible()
    actions.delete_room(room, actor=owner)
    expect(link).to_have_count(0)
    expect(elsewhere.locator(f'.room-link[data-room="{other.slug}"]')).to_have_count(1)
    expect(here.locator("message-composer textarea")).to_be_disabled()


def test_actions_that_would_be_refused_are_not_offered(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    say(room, member, "by the member")
    page = visit(f"/rooms/{room.slug}/", member)
    expect(offered(page)).to_have_text(["Reply", "React", "Forward", "Copy link", "Edit", "Delete"])
    actions.archive_room(room, actor=owner)
    expect(page.get_by_text("This room is archived")).to_be_visible()
    expect(offered(page)).to_have_text(["Forward", "Copy link", "Delete"])
    actions.restore_room(room, actor=owner)
    leave(room, member)
    expect(offered(visit(f"/rooms/{room.slug}/", member))).to_have_text(["Forward", "Copy link"])


def offered(page: Page) -> Locator:
    here = row(page, "by the member")
    here.hover()
    return here.get_by_role("group", name="Actions").get_by_role("button")
