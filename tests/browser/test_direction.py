"""Right to left: nothing sticks out, and what stood on one side stands on the other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from accounts.models import User
from rooms.models import Room
from tests.browser.conftest import Visit
from tests.browser.room_page import expect_live, said, say
from tests.browser.test_accessibility import TOO_WIDE
from tests.conftest import join
from tests.factories import RoomFactory

STYLES = Path(settings.BASE_DIR) / "project/static/css"
# Of a side that turns with the direction; `env(safe-area-inset-left)` and `@media (width)` name none of ours.
SIDE = re.compile(
    r"(?<![\w-])((?:margin|padding|border|scroll-margin|scroll-padding)-(?:left|right)[\w-]*|left|right"
    r"|border-(?:top|bottom)-(?:left|right)-radius)\s*:|(?:text-align|float|clear)\s*:\s*(?:left|right)"
)
SAID = ["صباح الخير من الميناء. البحر هادئ اليوم والرؤية ممتازة.", "شكراً يا يوسف ❤️ `const a = 1` وhttps://example.org/"]
PAGES = ["/rooms/", "/rooms/new/", "/rooms/{}/", "/rooms/{}/members/", "/rooms/{}/settings/", "/accounts/profile/"]
TURNED = "document.documentElement.dir = 'rtl'"


def test_styles_name_no_side() -> None:
    assert SIDE.search("margin-left: 1px")
    assert SIDE.search("  left: 0;")
    assert SIDE.search("text-align:right")
    assert not SIDE.search("padding-inline: max(1px, env(safe-area-inset-left)); border-inline-start: 0")
    found = [
        f"{path.name}: {match[0]}" for path in sorted(STYLES.glob("*.css")) for match in SIDE.finditer(path.read_text())
    ]
    assert found == []


@pytest.fixture
def arabic_room(owner: User) -> Room:
    room: Room = RoomFactory.create(name="غرفة الميناء", topic="كل ما يخص المدّ والجزر", actor=owner)
    member = join(room, "member")
    User.objects.filter(pk=member.pk).update(name="يوسف الأمين")
    for author in (owner, member):
        say(room, author, *SAID)
    return room


def test_no_page_overflows_from_right_to_left(visit: Visit, arabic_room: Room, owner: User) -> None:
    page = visit("/rooms/", owner)
    wide = []
    for path in PAGES:
        page.goto(path.format(arabic_room.slug))
        page.evaluate(TURNED)
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 844})
            wide += [f"{path} at {width}: {found}" for found in page.evaluate(TOO_WIDE)]
    assert wide == []


def test_room_is_mirrored(visit: Visit, arabic_room: Room, owner: User) -> None:
    page = visit(f"/rooms/{arabic_room.slug}/", owner)
    expect_live(page)
    expect(said(page, SAID[0]).first).to_be_visible()
    before = _places(page)
    page.evaluate(TURNED)
    after = _places(page)
    width = page.viewport_size["width"] if page.viewport_size else 0
    for name, (start, end) in before.items():
        assert after[name] == pytest.approx((width - end, width - start), abs=2), name
    direction = "body => getComputedStyle(body).direction"
    assert said(page, SAID[0]).first.evaluate(direction) == "rtl"
    page.evaluate("document.documentElement.dir = 'ltr'")
    assert page.locator(".message__body").first.evaluate(direction) == "rtl"  # Arabic in an English page


def _places(page: Page) -> dict[str, tuple[float, float]]:
    """Return where the parts of the room begin and end, from the left."""
    boxes = {}
    for name in (".sidebar", ".room__main", ".room__aside", ".composer__send", ".message .avatar"):
        box = page.locator(name).first.bounding_box()
        assert box
        boxes[name] = (box["x"], box["x"] + box["width"])
    return boxes
