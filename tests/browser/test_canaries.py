"""Hostile text in every field there is, read in a real browser, also in the admin: none of it runs, and no page needs
more than the content policy allows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from accounts.models import User
from messaging.actions import edit_message
from rooms.models import Membership, Room
from rooms.moderation import ban
from tests.browser.conftest import Visit
from tests.browser.room_page import expect_live, say
from tests.conftest import client_of, join
from tests.factories import MessageFactory, RoomFactory, UserFactory
from tests.files.making import send

# Each sets window.__x if it runs; they are short enough for a name, and the long ones are for messages.
SHORT = ("<img src=x onerror=__x=1>", "<script>__x=1</script>", "\"onfocus=__x=1 autofocus x='", "<svg onload=__x=1>")
LONG = (
    *SHORT,
    "[a](javascript:__x=1)",
    "[a](JaVaScRiPt&colon;__x=1)",
    '![a](x"onerror="__x=1)',
    "<math><mtext><table><mglyph><style><img src=x onerror=__x=1>",
    '<noscript><p title="</noscript><img src=x onerror=__x=1>">',
    "<details open ontoggle=__x=1>",
    "<iframe srcdoc='<script>parent.__x=1</script>'>",
    "<a href=data:text/html,<script>__x=1</script>>a</a>",
    "```<img src=x onerror=__x=1>\n</code></pre><script>__x=1</script>\n```",
    "||<img src=x onerror=__x=1>||",
    "</script><script>__x=1</script><!--",
    'http://a.example/"onmouseover="__x=1',
    "@<img src=x onerror=__x=1> :<svg onload=__x=1>:",
    "\n\ndata: x\nevent: reset\n<script>__x=1</script>",
)
Record = Callable[[str, object], None]


@pytest.fixture
def hostile(db: None, owner: User) -> Room:
    """A room in which everything that people can name or write is hostile."""
    room = RoomFactory.create(name=SHORT[0], topic=" ".join(SHORT), actor=owner)
    for number, name in enumerate(SHORT):
        person = join(room, f"person{number}")
        person.name = name[:40]
        person.save(update_fields=["name"])
        for text in LONG:
            say(room, person, text)
    edited = MessageFactory.create(room=room, author=owner, text=LONG[1])
    edit_message(edited, text=LONG[2], actor=owner)
    MessageFactory.create(room=room, author=owner, text="an answer", reply_to=edited)
    key = send(client_of(owner), room.slug, b"a", f"{SHORT[0].replace('/', '')}.txt").json()["id"]
    MessageFactory.create(room=room, author=owner, text="a file", attachments=[key])
    villain = UserFactory.create(username="villain", name=SHORT[3])
    ban(room, user=villain, reason=SHORT[1], expires_at=None, actor=owner)
    RoomFactory.create(name=SHORT[1], topic=SHORT[2], actor=owner, archived=True)
    return room


def ran(page: Page) -> Any:
    return page.evaluate("window.__x")


def test_nothing_hostile_runs_anywhere(visit: Visit, hostile: Room, owner: User, record_property: Record) -> None:
    """That the policy was not broken either is the fixture's to see: a page that breaks it fails."""
    owner.is_staff = owner.is_superuser = True
    owner.save()
    membership = Membership.objects.filter(room=hostile).latest("pk")
    page = visit(f"/rooms/{hostile.slug}/", owner)
    breaches: list[str] = []
    page.context.on("console", lambda said: breaches.append(said.text) if "Content Security" in said.text else None)
    expect_live(page)
    say(hostile, owner, *LONG)  # these come live
    page.get_by_text("</code></pre>").last.wait_for()
    run = [ran(page)]
    paths = (
        *("/rooms/", f"/rooms/{hostile.slug}/members/", f"/rooms/{hostile.slug}/settings/", "/accounts/profile/"),
        f"/rooms/{hostile.slug}/members/person1/ban/",
        *("/admin/", "/admin/rooms/room/", f"/admin/rooms/room/{hostile.pk}/change/", "/admin/rooms/room/add/"),
        *("/admin/rooms/membership/", f"/admin/rooms/membership/{membership.pk}/change/", "/admin/rooms/ban/"),
        *("/admin/messaging/message/", f"/admin/messaging/message/?q={SHORT[0]}", "/admin/accounts/user/"),
        *(f"/admin/accounts/user/{membership.user_id}/change/", f"/{SHORT[1]}", f"/rooms/?q={SHORT[0]}"),
    )
    for path in paths:
        page.goto(path)
        run.append(ran(page))
    record_property("canaries", len(LONG) * (len(SHORT) + 1) + 3 * len(SHORT))
    record_property("canaries_run", sum(map(bool, run)))
    record_property("policy_breaches", len(breaches))
    assert [each for each in run if each] == []
    assert breaches == []


def test_canary_that_is_let_run_is_seen(visit: Visit, room: Room, owner: User) -> None:
    page = visit(f"/rooms/{room.slug}/", owner)
    assert ran(page) is None
    page.evaluate("window.__x = 1")
    assert ran(page) == 1


def test_page_that_was_left_by_signing_out_does_not_come_back(visit: Visit, private_room: Room, owner: User) -> None:
    say(private_room, owner, "Canary Text")
    page = visit(f"/rooms/{private_room.slug}/", owner)
    page.get_by_text("Canary Text").first.wait_for()
    page.context.clear_cookies()  # as signing out elsewhere does
    page.goto("/accounts/login/")
    page.go_back()
    page.wait_for_url("**/accounts/login/**")
    assert "Canary" not in page.content()
    kept = page.evaluate(
        "async () => (await Promise.all((await caches.keys()).map(async (name) => "
        "(await (await caches.open(name)).keys()).map((each) => each.url)))).flat()"
    )
    assert [url for url in kept if "/rooms/" in url] == []
