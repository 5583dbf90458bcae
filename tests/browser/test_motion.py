"""Whoever asks their system for less motion gets none."""

from __future__ import annotations

import uuid

from playwright.sync_api import Page, expect

from accounts.models import User
from messaging.actions import post_message
from messaging.models import Attachment
from rooms.models import Room
from tests.browser.conftest import Visit
from tests.browser.room_page import expect_live, said, say
from tests.browser.test_files import expect_sent, pick
from tests.files import making

SEEN_SECONDS = 0.01
# What moves for long enough to be seen, or scrolls smoothly.
MOVING = """(seen) => {
  const longest = (value) => Math.max(...value.split(",").map(parseFloat));
  const moves = (style) => longest(style.transitionDuration) > seen || longest(style.animationDuration) > seen ||
    style.scrollBehavior === "smooth";
  const looks = (each) => [null, "::before", "::after"].map((part) => getComputedStyle(each, part));
  const found = [...document.querySelectorAll("*")].filter((each) => looks(each).some(moves));
  return found.map(({ className }) => className);
}"""


def moving(page: Page) -> list[str]:
    return list(page.evaluate(MOVING, SEEN_SECONDS))


def test_nothing_moves_for_whoever_wants_less_motion(visit: Visit, room: Room, owner: User) -> None:
    say(room, owner, "```python\nreturn 1\n```", "hello")
    for path in (f"/rooms/{room.slug}/", "/rooms/", "/accounts/profile/"):
        lively = visit(path, owner, reduced_motion="no-preference")
        assert moving(lively) != []
        lively.close()
        assert moving(visit(path, owner, reduced_motion="reduce")) == []


def test_moving_pictures_stand_still_for_whoever_wants_less_motion(visit: Visit, room: Room, owner: User) -> None:
    page = visit(f"/rooms/{room.slug}/", owner, reduced_motion="no-preference")
    expect_live(page)
    film = making.animation("GIF", size=(900, 600))
    pick(page, {"name": "wave.gif", "mimeType": "image/gif", "buffer": film})
    expect_sent(page, 1)
    (attachment,) = Attachment.objects.all()
    post_message(room, author=owner, text="a wave", client_id=uuid.uuid4(), attachments=[attachment.key])
    still = visit(f"/rooms/{room.slug}/", owner, reduced_motion="reduce")
    for each, url in ((page, attachment.url), (still, attachment.thumbnail_url)):
        expect(said(each, "a wave")).to_be_visible()
        expect(each.get_by_role("img", name="wave.gif")).to_have_js_property(
            "currentSrc", each.url.split("/rooms/")[0] + url
        )
