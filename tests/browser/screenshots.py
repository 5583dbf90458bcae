"""`python -m tests.browser.screenshots`: pictures of the pages, out of a site that is made for them and stopped again.

They are written to var/screenshots; the README's are copied to .github/screenshots.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Literal

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from playwright.sync_api import TimeoutError as NotInTimeError

from tests.browser.launch import launched
from tests.browser.pictured_states import STATES, last_row

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "var" / "screenshots"
DATA = PICTURES / "data"
README_PICTURES = ROOT / ".github" / "screenshots"
README_NAMES = {"room-1440-light": "room", "room-1440-dark": "room-dark", "room-390-light": "room-phone"}

START_SECONDS = 180
DEMO_SECONDS = 300
STOP_SECONDS = 30
WAIT_MILLISECONDS = 20_000
STEP_MILLISECONDS = 1_000
WIDTHS = {1440: 900, 390: 844}
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")

OWNER = {"name": "Marit Solberg", "email": "marit@example.org", "password": "seven green bicycles"}
HERE = ("jonas", "kenji", "priya")  # who else is in the room that is shown
ROOM = "/rooms/firmware/"
STATES_ROOM = "/rooms/general/"

PUBLIC_PAGES = {"sign-in": "/accounts/login/", "sign-up": "/accounts/signup/"}
PAGES = {
    "room": ROOM,
    "directory": "/rooms/",
    "members": f"{ROOM}members/",
    "settings": "/rooms/general/settings/",
    "audit": "/rooms/general/audit/",
    "pins": "/rooms/general/pins/",
    "reports": "/rooms/general/reports/",
    "ban": "/rooms/general/members/kenji/ban/",
    "mute": "/rooms/general/members/kenji/mute/",
    "new-room": "/rooms/new/",
    "profile": "/accounts/profile/",
    "signed-in": "/accounts/sessions/",
    "two-factor": "/accounts/2fa/",
    "leave-site": "/accounts/leave/",
    "invites": "/invites/",
    "offline": "/offline/",
    "error": "/rooms/nothing-here/",
    "admin-rooms": "/admin/rooms/room/",
}


class Site:
    """A served site in a data directory of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.said: list[str] = []

    def wait_for(self, pattern: str) -> str:
        """Read its lines as they come, and return the first group of the one that fits."""
        # Ends the reading below, should the line never come.
        timer = threading.Timer(START_SECONDS, self._process.kill)
        timer.start()
        try:
            for line in _lines(self._process.stdout):
                self.said.append(line)
                if found := re.search(pattern, line):
                    return found[1]
        finally:
            timer.cancel()
        raise SystemExit("The site could not be started:\n" + "".join(self.said))


def main() -> None:
    shutil.rmtree(DATA, ignore_errors=True)
    DATA.mkdir(parents=True)
    with served() as site, sync_playwright() as playwright:
        url = site.wait_for(r"ready at (http://\S+?)/\s")
        setup = site.wait_for(r"owner, once, at (\S+)")
        browser = launched(playwright, is_whole=True)
        try:
            picture_all(browser, url, setup)
        finally:
            browser.close()
    README_PICTURES.mkdir(parents=True, exist_ok=True)
    for name, readme_name in README_NAMES.items():
        shutil.copyfile(PICTURES / f"{name}.png", README_PICTURES / f"{readme_name}.png")
    say(f"The pictures are in {PICTURES.relative_to(ROOT)} and, for the README, {README_PICTURES.relative_to(ROOT)}.")


@contextmanager
def served() -> Iterator[Site]:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "serve", "--prepare", "--port", "0"],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield Site(process)
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def environment() -> dict[str, str]:
    ours = {"EARSHOT_DATA": str(DATA), "LIMITS_FACTOR": "100", "PYTHONUNBUFFERED": "1"}
    others = ("DATABASE_URL", "SITE_URL", "ALLOWED_HOSTS", "DEBUG", "EMAIL_HOST", "SIGNUP", "TRUSTED_PROXIES")
    return {**{name: value for name, value in os.environ.items() if name not in others}, **ours}


def picture_all(browser: Browser, url: str, setup: str) -> None:
    picture_each(browser, url, {"setup": setup.removeprefix(url), **PUBLIC_PAGES}, state=None)
    with ExitStack() as open_contexts:
        owner = open_contexts.enter_context(browser.new_context(base_url=url))
        mine = owner.new_page()
        become_owner(mine, setup)
        password = fill()
        for username in HERE:
            person = open_contexts.enter_context(browser.new_context(base_url=url))
            sign_in(person.new_page(), username, password)
        report_something(person.pages[0])
        mute_somebody(mine)
        confirm_oneself(mine)
        state = owner.storage_state()
        picture_each(browser, url, PAGES, state=state, typist=person.pages[0])


def become_owner(page: Page, setup: str) -> None:
    page.goto(setup)
    for name, value in OWNER.items():
        page.locator(f"[name={name}]").fill(value)
    page.locator("form button:not([type=button])").click()
    page.wait_for_url("**/rooms/**")


def fill() -> str:
    """Fill the site with the demo's people and messages, and return the password of these people."""
    say("Filling the site …")
    demo = [sys.executable, "manage.py", "demo", "--seed", "7", "--messages", "2500", "--verbosity", "0"]
    done = subprocess.run(
        demo, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True, timeout=DEMO_SECONDS, check=True
    )
    found = re.search(r"with the password (\S+)", done.stdout)
    if found is None:
        raise SystemExit(f"The demo did not say its password:\n{done.stdout}")
    return found[1]


def sign_in(page: Page, username: str, password: str) -> None:
    page.goto(f"/accounts/login/?next={ROOM}")
    page.locator("[name=login]").fill(username)
    page.locator("[name=password]").fill(password)
    page.locator("form button:not([type=button])").click()
    page.wait_for_url(f"**{ROOM}")


def report_something(page: Page) -> None:
    page.goto(STATES_ROOM)
    page.goto(f"{STATES_ROOM}messages/{last_row(page).get_attribute('data-id')}/report/")
    page.locator("main [name=reason]").fill("This is about somebody who is not here.")
    page.locator("main .button--danger").click()
    page.goto(ROOM)


def mute_somebody(page: Page) -> None:
    page.goto("/rooms/general/members/callum/mute/")
    page.locator("main [name=reason]").fill("Advertising, in spite of a word")
    page.locator("main .button--danger").click()


def confirm_oneself(page: Page) -> None:
    """Type the password again, which some pages ask for."""
    page.goto(PAGES["leave-site"])
    page.locator("[name=password]").fill(OWNER["password"])
    page.locator("form button:not([type=button])").click()
    page.wait_for_url(f"**{PAGES['leave-site']}")


def picture_each(
    browser: Browser, url: str, pages: dict[str, str], *, state: object, typist: Page | None = None
) -> None:
    for width in WIDTHS:
        for scheme in SCHEMES:
            with visiting(browser, url, width, scheme, state) as context:
                for name, path in pages.items():
                    picture(context, path, PICTURES / f"{name}-{width}-{scheme}.png", typist)
                if typist:
                    picture_reading(context, f"{width}-{scheme}")
            if typist:
                for name in STATES:  # each in a browser that keeps nothing of the one before
                    with visiting(browser, url, width, scheme, state) as context:
                        picture_state(context.new_page(), name, PICTURES / f"room-{name}-{width}-{scheme}.png")
            say(f"{len(pages)} pages at {width} pixels, {scheme}")


def visiting(browser: Browser, url: str, width: int, scheme: Scheme, state: object) -> BrowserContext:
    height = WIDTHS[width]
    context = browser.new_context(
        base_url=url,
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        device_scale_factor=1 if width > height else 2,
        has_touch=width < height,
        storage_state=state,  # type: ignore[arg-type]
        reduced_motion="reduce",
    )
    context.set_default_timeout(WAIT_MILLISECONDS)
    return context


def picture_state(page: Page, name: str, file: Path) -> None:
    begin, end = STATES[name]
    page.goto(STATES_ROOM)
    page.locator("message-composer:defined").wait_for()
    begin(page)
    page.screenshot(path=file)
    page.keyboard.press(end)


def scroll_into_a_day(page: Page) -> None:
    """Scroll up, and on if a day's own heading stands at the top: then the scroller names none."""
    for above in range(2_400, 5_000, 300):
        page.locator("[data-scroller]").evaluate("(box, above) => box.scrollTo(0, -above)", above)
        with suppress(NotInTimeError):
            page.locator("[data-day]").wait_for(timeout=STEP_MILLISECONDS)
            return
    raise SystemExit("The room names no day while it is scrolled")


def picture_reading(context: BrowserContext, name: str) -> None:
    """Pictures of the room as it is read: in the middle, with what was edited, and where to jump to."""
    page = context.new_page()
    page.goto(ROOM)
    page.locator("[data-here-count]:visible", has_text=str(len(HERE) + 1)).wait_for()
    scroll_into_a_day(page)
    page.screenshot(path=PICTURES / f"reading-{name}.png")
    page.locator("[data-day]").click()
    page.screenshot(path=PICTURES / f"jump-{name}.png")
    page.close()


def picture(context: BrowserContext, path: str, file: Path, typist: Page | None) -> None:
    page = context.new_page()
    page.goto(path)
    page.wait_for_load_state("load")
    if path == ROOM and typist:
        page.locator("[data-here-count]:visible", has_text=str(len(HERE) + 1)).wait_for()
        composer = typist.locator("textarea")
        composer.fill("")
        composer.press_sequentially("Give me a minute")
        page.locator("typing-line", has_text="typing").wait_for()
    page.evaluate("document.fonts.ready")
    page.screenshot(path=file)
    page.close()


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _lines(output: IO[str] | None) -> Iterator[str]:
    if output is not None:
        yield from iter(output.readline, "")


if __name__ == "__main__":
    main()
