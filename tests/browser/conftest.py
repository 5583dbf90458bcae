from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, expect, sync_playwright

from accounts.models import User
from tests.browser.launch import launched
from tests.browser.proxy import Proxy
from tests.conftest import client_of
from tests.emptying import wait_until_idle
from tests.server import ServerProcess

WAIT_MILLISECONDS = 15_000
DESKTOP = {"width": 1440, "height": 900}

# A page under Playwright always counts as seen. With this, `look(page, "hidden")` decides it.
VISIBILITY = """
let state = "%s";
Object.defineProperty(document, "visibilityState", { get: () => state });
Object.defineProperty(document, "hidden", { get: () => state === "hidden" });
window.becomes = (next) => {
  state = next;
  document.dispatchEvent(new Event("visibilitychange"));
};
"""

Visit = Callable[..., Page]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests in a browser side by side, so that they share one: to start it takes a second each time."""
    for item in items:
        if "tests/browser" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


# Not for the session: while Playwright is open a loop counts as running in this thread, and a test of another package
# could not run one of its own.
@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    # Playwright's loop runs in this thread, though no coroutine of ours does: the ORM may be used beside it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    expect.set_options(timeout=WAIT_MILLISECONDS)
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    with launched(playwright) as chromium:
        yield chromium


@pytest.fixture
def proxy(server: ServerProcess) -> Iterator[Proxy]:
    with Proxy(server.port) as proxy:
        yield proxy


@pytest.fixture
def visit(browser: Browser, server: ServerProcess) -> Iterator[Visit]:
    """Return a function that opens a path in a browser of one's own, signed in as a person or not.

    A page that breaks the content security policy or throws an error fails the test.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def open_page(
        path: str,
        user: User | None = None,
        *,
        through: Proxy | None = None,
        visibility: str | None = None,
        has_own_clock: bool = False,
        **options: object,
    ) -> Page:
        url = through.url if through else server.url
        context = browser.new_context(**{"base_url": url, "viewport": DESKTOP, **options})  # type: ignore[arg-type]
        contexts.append(context)
        context.set_default_timeout(WAIT_MILLISECONDS)
        context.on("weberror", lambda error: faults.append(str(error.error)))
        context.on("console", lambda message: _note_violation(message, faults))
        if user:
            key = client_of(user).cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": url}])
        if visibility:
            context.add_init_script(VISIBILITY % visibility)
        if has_own_clock:
            context.clock.install()
        page = context.new_page()
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        if context.pages:  # else the test has closed it
            # What a page sends as it goes, like a deletion, would meet the next test's database.
            context.set_offline(True)
        context.close()
    wait_until_idle()  # the database is about to be emptied under the server
    assert faults == []


def look(page: Page, state: str) -> None:
    """Show a page that was opened with a `visibility`, or hide it."""
    page.evaluate("state => window.becomes(state)", state)


def _note_violation(message: ConsoleMessage, faults: list[str]) -> None:
    if "Content Security Policy" in message.text:
        faults.append(message.text)
