"""No page has a fault that axe-core can find, and none is wider than its window."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import FilePayload, Page, expect

from accounts.models import User
from messaging.actions import delete_message, edit_message
from messaging.pinning import pin_message
from messaging.reactions import add_reaction
from rooms.models import Membership, Room
from rooms.moderation import ban
from tests.browser.axe import faults, fetched
from tests.browser.conftest import Visit
from tests.browser.room_page import expect_live, row, said, say, write
from tests.browser.test_files import TEXT, expect_sent, image, pick, tray
from tests.conftest import join
from tests.factories import MessageFactory, RoomFactory, UserFactory
from tests.files import making

PAGES = [
    "/rooms/",
    "/rooms/new/",
    "/rooms/{room}/",
    "/rooms/{room}/?before=2",
    "/rooms/{archived}/",
    "/rooms/{elsewhere}/",
    "/rooms/{room}/messages/{message}/edit/",
    "/rooms/{room}/members/",
    "/rooms/{room}/messages/{message}/revisions/",
    "/rooms/{room}/members/member/ban/",
    "/rooms/{room}/settings/",
    "/invites/",
    "/accounts/profile/",
    "/accounts/sessions/",
    "/accounts/2fa/",
    "/accounts/2fa/webauthn/",
    "/accounts/email/",
    "/accounts/password/change/",
    "/accounts/reauthenticate/",
    "/accounts/logout/",
    "/offline/",
    "/nothing/",
]
SHARES = 4  # of them, each a test, so that no worker is left with all at the end
ADMINISTERED = ["rooms_room", "rooms_membership", "messaging_message", "accounts_user"]
# Of the admin's own templates, which are Django's: its filters' links, its breadcrumbs, its search, its empty headings
# and its help for lists of groups.
OF_DJANGO = ["target-size", "link-in-text-block", "label-title-only", "empty-table-header", "aria-prohibited-attr"]
PAGES_SIGNED_OUT = [
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/password/reset/",
    "/accounts/login/code/",
    "/accounts/password/reset/done/",
    "/accounts/password/reset/key/done/",
    "/accounts/confirm-email/",
    "/accounts/confirm-email/used/",
    "/accounts/inactive/",
]
# The second stands for a window of 1280 by 1024 at 400 %: WCAG 2.2, 1.4.10.
SIZES = [(1440, 900), (390, 844), (320, 256)]
NARROW = 390  # the third has nothing to show that this has not
# What is wider than the box that shows it: the window, or one of the page's own that scrolls or cuts off. Code may
# scroll, and names may end in an ellipsis.
TOO_WIDE = """() => {
  const isTold = (box) => box.matches("html") || (box.clientWidth > 1 && getComputedStyle(box).overflowX !== "visible");
  const mayBe = (box) => box.matches("pre") || getComputedStyle(box).textOverflow === "ellipsis";
  return [...document.querySelectorAll("html, body *")]
    .filter((box) => isTold(box) && !mayBe(box) && box.scrollWidth > box.clientWidth + 1)
    .map((box) => `${box.localName}.${box.className}: ${box.scrollWidth} in ${box.clientWidth}, \
${getComputedStyle(box).fontSize} “${box.textContent.trim().slice(0, 40)}” in a window of ${innerWidth}`);
}"""


@pytest.fixture(scope="session")
def axe() -> str:
    """Return axe-core's script."""
    return fetched()


@pytest.fixture
def paths(room: Room, owner: User) -> list[str]:
    """Return every page that a person can be on, the room's with something in it."""
    member = join(room, "member", Membership.Role.MODERATOR)
    first, *_others = say(room, owner, "The **first** of all", "```python\nreturn {'key': 1}  # where?\n```")
    say(room, member, "A long word: " + "x" * 200, "https://example.org/" + "a/" * 100)
    for name, until in (("banned", None), ("paused", timezone.now() + timedelta(days=3))):
        ban(room, user=UserFactory.create(username=name), reason="A long reason " * 10, expires_at=until, actor=owner)
    archived = RoomFactory.create(name="Attic", actor=owner, archived=True)
    elsewhere = RoomFactory.create(name="Elsewhere", topic="What others talk about", actor=member)
    names = {"room": room.slug, "archived": archived.slug, "elsewhere": elsewhere.slug, "message": first.pk}
    return [path.format(**names) for path in PAGES]


@pytest.mark.parametrize("share", range(SHARES))
def test_pages_have_no_fault_and_do_not_scroll_sideways(
    visit: Visit, axe: str, paths: list[str], owner: User, share: int
) -> None:
    page = visit("/accounts/inactive/", owner, bypass_csp=True)
    go_through(page, axe, paths[share::SHARES])


def test_signed_out_pages_have_no_fault_and_do_not_scroll_sideways(visit: Visit, axe: str, db: None) -> None:
    page = visit("/accounts/inactive/", bypass_csp=True)
    go_through(page, axe, PAGES_SIGNED_OUT)


def go_through(page: Page, axe: str, paths: list[str]) -> None:
    found = []
    for path in paths:
        page.goto(path)
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            found += [f"{path} at {width}: {wide}" for wide in page.evaluate(TOO_WIDE)]
            if width >= NARROW:
                found += faults(page, axe)
    assert not found, "\n".join(found)


def test_admin_has_no_fault(visit: Visit, axe: str, room: Room, owner: User) -> None:
    User.objects.filter(pk=owner.pk).update(is_staff=True, is_superuser=True)
    join(room, "member")
    (message,) = say(room, owner, "To be moderated")
    lists = [reverse(f"admin:{name}_changelist") for name in ADMINISTERED]
    of_room, of_person = (
        reverse("admin:rooms_room_change", args=[room.pk]),
        reverse("admin:accounts_user_change", args=[owner.pk]),
    )
    page = visit("/admin/", owner, bypass_csp=True)
    found = []
    for each in ["/admin/", *lists, of_room, of_person, reverse("admin:messaging_message_delete", args=[message.pk])]:
        page.goto(each)
        expect(page.locator("h1").last).to_be_visible()
        found += faults(page, axe)
    assert [each for each in found if not any(f" {rule}: " in each for rule in OF_DJANGO)] == []


def test_room_can_be_used_at_four_hundred_per_cent(visit: Visit, room: Room, owner: User) -> None:
    say(room, owner, *(f"message {number}" for number in range(20)))
    page = visit(f"/rooms/{room.slug}/", owner)
    page.set_viewport_size({"width": 320, "height": 256})
    expect_live(page)
    write(page, "small but readable")
    expect(said(page, "small but readable")).to_be_in_viewport()
    expect(page.get_by_label("Your message", exact=True)).to_be_in_viewport()
    page.get_by_role("button", name="Rooms").click()
    expect(page.get_by_role("link", name="All rooms")).to_be_in_viewport()


def test_what_is_too_wide_would_be_found(visit: Visit, db: None) -> None:
    page = visit("/accounts/login/")
    assert page.evaluate(TOO_WIDE) == []
    page.locator("h1").evaluate("heading => { heading.style.inlineSize = '3000px' }")
    assert page.evaluate(TOO_WIDE) != []


def test_what_is_hard_to_read_in_the_dark_would_be_found(visit: Visit, axe: str, db: None) -> None:
    page = visit("/accounts/login/", bypass_csp=True)
    page.add_style_tag(content="@media (prefers-color-scheme: dark) { .button { color: #333; background: #222 } }")
    (fault,) = faults(page, axe)
    assert "dark: color-contrast: <button" in fault


def test_room_in_use_has_no_fault(visit: Visit, axe: str, room: Room, owner: User) -> None:
    member = join(room, "member")
    code, gone = say(room, member, "```python\nreturn {'key': 1}  # where?\n```", "I never said this")
    MessageFactory.create(room=room, author=owner, text="On the **shelf**", reply_to=code)
    delete_message(gone, actor=member)
    pin_message(code, actor=owner)
    page, other = (
        visit(f"/rooms/{room.slug}/", owner, bypass_csp=True),
        visit(f"/rooms/{room.slug}/", member, bypass_csp=True),
    )
    expect_live(page)
    reading = "[plan](https://x.example)", "it was ||hidden||", "🎉", "\n\n".join("long" for _ in range(40))
    edited, *_others = say(room, member, *reading)
    edit_message(edited, text="[the plan](https://x.example)", actor=member)
    expect(page.get_by_role("button", name="Show more")).to_be_visible()
    page.get_by_role("link", name="(edited)").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    in_dialog = faults(page, axe)
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Pinned messages").click()
    expect(page.get_by_role("dialog", name="Pinned messages")).to_be_visible()
    in_dialog += faults(page, axe)
    page.keyboard.press("Escape")
    row(page, "shelf").hover()
    row(page, "shelf").get_by_role("button", name="Reply").click()
    expect_live(other)
    other.get_by_label("Your message", exact=True).press_sequentially("Tell")
    expect(page.locator("typing-line")).to_have_text("Member is typing…")
    page.context.set_offline(True)
    page.get_by_label("Your message", exact=True).fill("On its way")
    page.get_by_label("Your message", exact=True).press("Enter")
    expect(page.get_by_text("Not sent yet. Trying again…")).to_be_visible()
    expect(page.get_by_text("Reconnecting: 1 waiting")).to_be_visible()
    found = faults(page, axe)
    page.context.set_offline(False)
    expect(said(other, "On its way")).to_be_visible()
    assert in_dialog + found + faults(other, axe) == []


def test_what_helps_with_writing_has_no_fault(visit: Visit, axe: str, room: Room, owner: User) -> None:
    member = join(room, "member")
    first, gone = say(room, member, "Ask @owner", "Away with this")
    for actor in (owner, member):
        add_reaction(first, emoji="🎉", actor=actor)
    add_reaction(gone, emoji="👍", actor=member)
    page = visit(f"/rooms/{room.slug}/", owner, bypass_csp=True)
    expect_live(page)
    page.get_by_label("Your message", exact=True).press_sequentially("Hello @me")
    expect(page.get_by_role("option")).to_contain_text(["@member"])
    found = faults(page, axe)
    page.keyboard.press("Escape")
    page.route("**/delete/", lambda route: None)  # so that it can be undone for as long as we look
    row(page, "Away with this").hover()
    row(page, "Away with this").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    found += faults(page, axe)
    page.get_by_role("button", name="Emoji").click()
    expect(page.get_by_role("option", name="grinning face", exact=True)).to_be_visible()
    found += faults(page, axe)
    page.keyboard.press("Escape")
    row(page, "Ask @owner").hover()
    row(page, "Ask @owner").get_by_role("button", name="Forward").click()
    expect(page.get_by_role("dialog", name="Forward this message")).to_be_visible()
    assert found + faults(page, axe) == []


def test_room_with_files_has_no_fault(visit: Visit, axe: str, room: Room, owner: User) -> None:
    page = visit(f"/rooms/{room.slug}/", owner, bypass_csp=True)
    expect_live(page)
    pick(page, image("one.png"), image("two.png"), TEXT, *(playable(kind) for kind in ("audio/wav", "video/mp4")))
    expect_sent(page, 5)
    write(page, "with everything")
    expect(row(page, "with everything").locator("video")).to_be_visible()
    pick(page, TEXT, FilePayload(name="broken.png", mimeType="image/png", buffer=making.png()[:60]))
    expect(tray(page).last).to_contain_text("damaged")
    found = faults(page, axe)
    page.locator("a[data-picture]").first.click()
    expect(page.get_by_role("dialog", name="Picture")).to_be_visible()
    assert found + faults(page, axe) == []


def playable(content_type: str) -> FilePayload:
    name = content_type.replace("/", ".")
    return FilePayload(name=name, mimeType=content_type, buffer=making.SOUNDS_AND_FILMS[content_type])


def test_fault_would_be_found(visit: Visit, axe: str) -> None:
    page = visit("/accounts/login/", bypass_csp=True)
    page.locator("label").first.evaluate("label => label.remove()")
    assert any("label" in fault for fault in faults(page, axe))
