"""`python -m tests.browser.icons`: draw the installed application's icons out of favicon.svg, in a browser."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.launch import launched

FOLDER = Path(__file__).resolve().parents[2] / "project" / "static" / "img"
PAGE = '<body style="margin: 0; {style}">{svg}</body>'
# A maskable icon fills its square; what must be seen is in the middle four fifths
# (https://www.w3.org/TR/appmanifest/#icon-masks).
FULL = "background: #0c6e5c; display: grid; place-items: center; block-size: 100vh"
ICONS = {"icon-192": (192, "100%", ""), "icon-512": (512, "100%", ""), "icon-maskable-512": (512, "72%", FULL)}


def main() -> None:
    drawing = (FOLDER / "favicon.svg").read_text()
    with sync_playwright() as playwright:
        browser = launched(playwright)
        for name, (side, share, style) in ICONS.items():
            page = browser.new_page(viewport={"width": side, "height": side})
            svg = re.sub("<svg ", f'<svg width="{share}" height="{share}" style="display: block" ', drawing, count=1)
            page.set_content(PAGE.format(style=style, svg=svg))
            page.screenshot(path=FOLDER / f"{name}.png", omit_background=True)
        browser.close()


if __name__ == "__main__":
    main()
