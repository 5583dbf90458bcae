"""A room's page in Chromium: how it comes to be seen, and what it takes to go from one room to the next."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

SETTLED_MILLISECONDS = 30_000
PRESSED_MILLISECONDS = 80  # about as long as a hand holds a button down
WINDOW = {"width": 1440, "height": 900}

# What the browser notices about a page, from its very beginning, and when the last page was left.
NOTES = """
window.noted = { lcp: 0, cls: 0, tasks: [], left: Number(sessionStorage.left ?? 0) };
const watch = (type, note) =>
  new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type, buffered: true });
watch("largest-contentful-paint", ({ startTime }) => (noted.lcp = startTime));
watch("layout-shift", ({ value, hadRecentInput }) => (noted.cls += hadRecentInput ? 0 : value));
watch("longtask", ({ duration }) => noted.tasks.push(duration));
const leave = () => (sessionStorage.left = performance.timeOrigin + performance.now());
addEventListener("click", leave, { capture: true });
"""
IS_LIVE = "() => document.querySelector('[data-here-count]')?.textContent !== '' && window.noted?.lcp > 0"
WORKER_IS_READY = "async () => (await navigator.serviceWorker.ready).active.state === 'activated'"
FOUND = """() => {
  const isOwn = ({ name }) => /^\\/static\\/.*\\.(js|css)$/.test(new URL(name).pathname);
  const own = performance.getEntriesByType("resource").filter(isOwn);
  const sum = (key) => own.reduce((total, each) => total + each[key], 0);
  return { ...noted, size: sum("decodedBodySize"), sent: sum("encodedBodySize"), files: own.length,
           origin: performance.timeOrigin };
}"""


@dataclass(frozen=True)
class Load:
    """A page's coming to be seen: milliseconds, and bytes of our own scripts and styles."""

    lcp: float
    cls: float
    tasks: tuple[float, ...]
    size: int
    sent: int
    files: int
    # The page's longest task by the time that its thread was at work: others may have had the core meanwhile.
    longest_cpu: float

    @classmethod
    def of(cls, found: dict[str, Any], trace: bytes) -> Load:
        values = {name: found[name] for name in ("lcp", "cls", "size", "sent", "files")}
        return cls(tasks=tuple(found["tasks"]), longest_cpu=_longest_cpu(trace), **values)


class Window:
    """A browser window of somebody who is signed in, with nothing in its cache."""

    def __init__(self, browser: Browser, url: str, cookie: str) -> None:
        self._browser = browser
        name, _, value = cookie.partition("=")
        self._context: BrowserContext = browser.new_context(base_url=url, viewport=WINDOW)  # type: ignore[arg-type]
        self._context.set_default_timeout(SETTLED_MILLISECONDS)
        self._context.add_cookies([{"name": name, "value": value, "url": url}])
        self._context.add_init_script(NOTES)
        self._page: Page = self._context.new_page()

    def load(self, slug: str) -> Load:
        """Open a room and return how it came to be seen, once it is live."""
        self._browser.start_tracing(page=self._page, categories=["toplevel"])
        self._page.goto(f"/rooms/{slug}/")
        self._page.wait_for_function(IS_LIVE)
        return Load.of(self._page.evaluate(FOUND), self._browser.stop_tracing())

    def await_worker(self) -> None:
        self._page.wait_for_function(WORKER_IS_READY)

    def switch(self, slug: str, *, rested: int = 0) -> float:
        """Go to another room by its link, and return the milliseconds from the click to the largest paint.

        Before the click the pointer has rested on the link for so many milliseconds.
        """
        link = self._page.locator(f".sidebar [data-room='{slug}']")
        if rested:
            link.hover()
            self._page.wait_for_timeout(rested)
        link.click(delay=PRESSED_MILLISECONDS)
        self._page.wait_for_url(f"**/rooms/{slug}/")
        self._page.wait_for_function(IS_LIVE)
        found = self._page.evaluate(FOUND)
        return float(found["origin"] + found["lcp"] - found["left"])

    def close(self) -> None:
        self._context.close()


def _longest_cpu(trace: bytes) -> float:
    """Return the milliseconds of CPU of the longest task that a page's own thread had."""
    events = json.loads(trace)["traceEvents"]
    threads = {(each["pid"], each["tid"]): each["args"]["name"] for each in events if each["name"] == "thread_name"}
    tasks = (each for each in events if each["name"].endswith("RunTask") and "tdur" in each)
    return max(float(each["tdur"]) for each in tasks if threads[each["pid"], each["tid"]] == "CrRendererMain") / 1e3
