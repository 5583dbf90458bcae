"""What open pages show when it changes who may write, and whom one ignores."""

from __future__ import annotations

from playwright.sync_api import expect

from accounts.ignoring import ignore
from accounts.models import User
from rooms import actions, moderation
from rooms.models import Membership, Room
from tests.browser.conftest import Visit
from tests.conftest import join
from tests.factories import MessageFactory


def test_open_pages_lose_and_regain_the_composer_with_the_right_to_write(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    page = visit(f"/rooms/{room.slug}/", member)
    composer = page.locator("message-composer textarea")
    expect(composer).to_be_enabled()
    actions.change_policy(room, who_posts="moderator", actor=owner)
    expect(page.get_by_text("Only this room's owners and moderators write here.")).to_be_visible()
    expect(composer).to_have_count(0)
    actions.change_role(Membership.objects.get(room=room, user=member), role="moderator", actor=owner)
    expect(composer).to_be_enabled()
    actions.change_role(Membership.objects.get(room=room, user=member), role="member", actor=owner)
    expect(composer).to_have_count(0)
    actions.change_policy(room, who_posts="member", actor=owner)
    expect(composer).to_be_enabled()
    made = moderation.mute(room, user=member, reason="", expires_at=None, actor=owner)
    expect(page.get_by_text("You can read here, but not write.")).to_be_visible()
    moderation.lift_mute(made, actor=owner)
    expect(composer).to_be_enabled()


def test_slow_mode_counts_down_in_the_composer(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    actions.change_policy(room, slow_seconds=3600, actor=owner)
    page = visit(f"/rooms/{room.slug}/", member)
    expect(page.locator(".composer__slow")).to_be_visible()
    field = page.locator("message-composer textarea")
    for text in ("one", "two"):
        field.fill(text)
        field.press("Enter")
    expect(page.locator("send-pause [data-shown]")).to_contain_text("3")
    expect(page.locator(".message--pending")).to_have_count(1)


def test_messages_of_an_ignored_person_are_folded_also_live(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    MessageFactory.create(room=room, author=member, text="before")
    ignore(owner, username="member")
    page = visit(f"/rooms/{room.slug}/", owner)
    expect(page.get_by_text("From somebody you ignore.")).to_have_count(1)
    expect(page.get_by_text("before", exact=True)).to_be_hidden()
    MessageFactory.create(room=room, author=member, text="live")
    expect(page.get_by_text("From somebody you ignore.")).to_have_count(2)
    expect(page.get_by_text("live", exact=True)).to_be_hidden()
    page.get_by_role("button", name="Show it").last.click()
    expect(page.get_by_text("live", exact=True)).to_be_visible()
    expect(page.get_by_text("before", exact=True)).to_be_hidden()
