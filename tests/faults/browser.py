"""A room's page in a real browser, as one more reader."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from django.conf import settings
from playwright.async_api import Page, async_playwright, expect

from tests.browser.chromium import NoChromiumError, headless_shell
from tests.browser.launch import ARGUMENTS
from tests.faults.cast import Person
from tests.faults.history import Shown, Stay
from tests.faults.load import Load
from tests.faults.stage import NotHere

ROWS = """rows => rows.map(row => [row, row.querySelector(".message__body")])
  .filter(([_row, body]) => body)
  .map(([row, body]) => [Number(row.dataset.position), body.innerText.trim()])"""
UNREAD = """links => links
  .filter(link => link.querySelector("[data-unread]:not([hidden])"))
  .map(link => link.dataset.room)"""
WAIT_MILLISECONDS = 60_000


class Tab:
    """A room's page; what it shows is judged like any other reader's screen."""

    def __init__(self, page: Page, load: Load, person: Person, room: str) -> None:
        self.page = page
        self.loads = 0
        self._load = load
        self._name = f"{person.name}.browser"
        self._room = room
        page.on("load", lambda _page: self._loaded())

    def _loaded(self) -> None:
        self.loads += 1

    async def open(self) -> None:
        await self.page.goto(f"/rooms/{self._room}/")
        await self.is_live()
        await self.has_to_show_from_here()

    async def has_to_show_from_here(self) -> None:
        """Expect all of the room from the first message that is there now; what is older is a scroll away."""
        rows = await self.rows()
        history = self._load.history
        history.stays = [stay for stay in history.stays if stay.reader != self._name]
        history.stays.append(Stay(self._name, self._room, first=rows[0][0] - 1 if rows else 0))

    async def is_live(self) -> None:
        """Wait until the stream is open: it says at once who is here."""
        await expect(self.page.locator("[data-here-count]:visible")).not_to_be_empty()

    async def rows(self) -> list[tuple[int, str]]:
        found = await self.page.locator("[data-rows] > li[data-position]").evaluate_all(ROWS)
        return [(position, text) for position, text in found]

    async def banner(self) -> str | None:
        """Return the sentence that says why the page is not live, or None."""
        sentences = self.page.locator("connection-state p:visible")
        return " ".join(await sentences.all_inner_texts()) or None

    async def shows_banner(self, seconds: float) -> float:
        """Wait for the sentence, and return how long that took; raises after the time."""
        began = time.monotonic()
        await self.page.locator("connection-state p:visible").first.wait_for(timeout=seconds * 1000)
        return time.monotonic() - began

    async def shows_no_banner(self) -> None:
        await self.page.locator("connection-state p:visible").first.wait_for(state="hidden", timeout=WAIT_MILLISECONDS)

    async def shows(self, key: str) -> None:
        """Wait until the message with this key is there."""
        bodies = self.page.locator("[data-rows] .message__body")
        await bodies.get_by_text(key).wait_for(timeout=WAIT_MILLISECONDS)

    async def go_to_newest(self) -> None:
        """Leave what was missed for the end of the room."""
        await self.page.locator("[data-jump]").click()

    async def unread(self) -> set[str]:
        """Return the rooms that the sidebar says have something new."""
        return set(await self.page.locator("a[data-room]").evaluate_all(UNREAD))

    async def note_screen(self) -> None:
        """Have the checker judge what the page shows now."""
        for position, text in await self.rows():
            key = text.partition(" ")[0]
            self._load.history.shown.append(
                Shown(self._name, self._room, position, key, text, "page", time.monotonic())
            )


@asynccontextmanager
async def browsing(load: Load, port: int, person: Person, room: str) -> AsyncIterator[Tab]:
    """Open a room's page in a browser that reaches the site at this port."""
    try:
        program = headless_shell()
    except NoChromiumError as problem:
        raise NotHere(str(problem)) from problem
    url = f"http://127.0.0.1:{port}"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        context = await browser.new_context(base_url=url, viewport={"width": 1440, "height": 900})
        await context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": person.session, "url": url}])
        tab = Tab(await context.new_page(), load, person, room)
        await tab.open()
        try:
            yield tab
        finally:
            await browser.close()
