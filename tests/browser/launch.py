from __future__ import annotations

from playwright.sync_api import Browser, Playwright

from tests.browser.chromium import executable

# A closed network is no fault of the page, and headless Chromium as root has no sandbox to offer.
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


def launched(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
