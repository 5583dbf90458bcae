"""Two people in one room, each in their language, though a live row is made once for both."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from accounts.models import User
from messaging.actions import delete_message, edit_message
from rooms.models import Room
from tests.browser.conftest import Visit
from tests.browser.room_page import expect_live, said, say
from tests.conftest import join

GERMAN = {
    "edited": "(bearbeitet)",
    "gone": "Diese Nachricht wurde gelöscht.",
    "today": "Heute",
    "told": "Neu dabei: \u2068Late\u2069.",
}
ENGLISH = {
    "edited": "(edited)",
    "gone": "This message was deleted.",
    "today": "Today",
    "told": "\u2068Late\u2069 joined.",
}


def expect_words(page: Page, words: dict[str, str]) -> None:
    expect(page.locator(".message__edited")).to_have_text(words["edited"])
    expect(page.locator(".message__gone")).to_have_text(words["gone"])
    expect(page.locator(".message .quote__text")).to_have_text(words["gone"])
    expect(page.locator(".day")).to_have_text(words["today"])
    expect(page.locator("[data-languages]").last).to_have_text(words["told"])


def test_each_reads_live_rows_in_their_own_language(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    kept, gone = say(room, member, "a first try", "taken back")
    User.objects.filter(pk=member.pk).update(language="en")
    path = f"/rooms/{room.slug}/"
    german, english = visit(path, owner, locale="de-DE"), visit(path, member, locale="de-DE")
    expect_live(german)
    expect_live(english)
    expect(german.get_by_label("Deine Nachricht", exact=True)).to_be_visible()
    expect(english.get_by_label("Your message", exact=True)).to_be_visible()

    german.get_by_text("taken back", exact=True).hover()
    german.get_by_role("button", name="Antworten").click()
    german.get_by_label("Deine Nachricht", exact=True).fill("why?")
    german.keyboard.press("Enter")
    expect(said(english, "why?")).to_be_visible()
    edit_message(kept, text="a second try", actor=member)
    delete_message(gone, actor=member)
    join(room, "late")

    for page, words in ((german, GERMAN), (english, ENGLISH)):
        expect_words(page, words)
        page.reload()
        expect_live(page)
        expect_words(page, words)


def test_times_are_in_the_pages_language(visit: Visit, room: Room, owner: User) -> None:
    User.objects.filter(pk=owner.pk).update(language="de")
    say(room, owner, "hello")
    page = visit(f"/rooms/{room.slug}/", owner, locale="en-US")
    expect(page.locator("[data-rows] .message__time time")).to_have_text(re.compile(r"^\d\d?:\d\d$"))
    User.objects.filter(pk=owner.pk).update(language="")
    page.reload()
    expect(page.locator("[data-rows] .message__time time")).to_have_text(re.compile(r"^\d{1,2}:\d\d\s[AP]M$"))
