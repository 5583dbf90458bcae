"""Reactions to those who may only look."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from accounts.models import User
from messaging.models import Reaction
from messaging.reactions import add_reaction
from rooms.actions import archive_room
from rooms.models import Room
from tests.browser.conftest import Visit
from tests.browser.room_page import expect_live, say
from tests.browser.test_answering import reaction
from tests.factories import UserFactory


def test_reactions_do_not_look_pressable_to_those_who_may_only_look(visit: Visit, room: Room, owner: User) -> None:
    (message,) = say(room, owner, "Cake")
    add_reaction(message, emoji="🎂", actor=owner)
    stranger = UserFactory.create(username="stranger")
    mine, theirs = visit(f"/rooms/{room.slug}/", owner), visit(f"/rooms/{room.slug}/", stranger)
    expect_live(mine)
    pressable = reaction(mine, "Cake", "🎂")
    expect(pressable).to_have_attribute("aria-pressed", "true")
    expect(pressable).to_have_css("cursor", "pointer")
    archive_room(room, actor=owner)
    expect(mine.get_by_text("This room is archived: it can be read, but not written in.")).to_be_visible()
    for page in (theirs, mine):
        shown = reaction(page, "Cake", "🎂")
        expect(shown).to_have_attribute("aria-disabled", "true")
        expect(shown).not_to_have_attribute("aria-pressed", re.compile("."))
        expect(shown).to_have_css("cursor", "default")
        edge = shown.evaluate("each => getComputedStyle(each).borderColor")
        shown.hover()
        expect(shown).to_have_css("border-color", edge)
        shown.click(force=True)
        shown.dispatch_event("contextmenu")
        expect(page.get_by_text("🎂 Olga Owner")).to_be_visible()
    assert Reaction.objects.count() == 1
