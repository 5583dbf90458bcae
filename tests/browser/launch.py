from __future__ import annotations

from playwright.sync_api import Browser, Playwright

from tests.browser.chromium import executable, headless_shell

# A closed network is no fault of the page, and headless Chromium as root has no sandbox to offer.
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


def launched(playwright: Playwright, *, is_whole: bool = False) -> Browser:
    """Start Chromium: `is_whole` for what the headless shell has not, like Background Sync."""
    program = executable() if is_whole else headless_shell()
    return playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
