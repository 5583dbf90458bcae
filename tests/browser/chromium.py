"""The Chromium that the browser tests drive: one that is installed, else one installed the way the platform offers.

Most tests drive its headless shell where there is one: the same engine without a browser's windows, which makes a page
with less than half the work. `python -m tests.browser.chromium` makes sure of both and prints their paths.
"""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
APPLICATIONS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
HEADLESS_SHELLS = ("chromium-headless-shell", "chrome-headless-shell")
INSTALL_SECONDS = 900
SPARE_SECONDS = 120  # for what the tests can do without


class NoChromiumError(Exception):
    """No Chromium was found or could be installed; the message says what to do."""


def executable() -> Path:
    """Return the installed Chromium, the one in the environment variable CHROMIUM first."""
    named = os.environ.get("CHROMIUM")
    if named:
        found = shutil.which(named)
        if found is None:
            raise NoChromiumError(f"CHROMIUM names {named}, which is not a program; correct or unset it.")
        return Path(found)
    for candidate in _installed():
        return candidate
    raise NoChromiumError(
        "The browser tests need Chromium: install it (on Debian: apt install chromium; anywhere: "
        "playwright install chromium), or name one in the environment variable CHROMIUM."
    )


def headless_shell() -> Path:
    """Return Chromium's headless shell; where there is none, or one Chromium was named, that Chromium."""
    if not os.environ.get("CHROMIUM"):
        for found in filter(None, map(shutil.which, HEADLESS_SHELLS)):
            return Path(found)
    return executable()


def ensured() -> Path:
    """Return a Chromium, installing one when there is none, and its headless shell if that can be had."""
    whole = _ensured_whole()
    if headless_shell() == whole and not os.environ.get("CHROMIUM") and _has_apt():
        all(_succeeds(step, SPARE_SECONDS) for step in _apt_install("chromium-headless-shell"))
    return whole


def _ensured_whole() -> Path:
    try:
        return executable()
    except NoChromiumError:
        if os.environ.get("CHROMIUM"):
            raise
    for steps in _ways_to_install():
        if all(_succeeds(step) for step in steps) and any(_installed()):
            break
    return executable()


def _installed() -> Iterator[Path]:
    """Those that run: some systems ship a `chromium-browser` that only says where to get one."""
    on_path = (Path(found) for name in NAMES if (found := shutil.which(name)))
    yield from filter(_runs, on_path)
    yield from filter(_runs, map(Path, APPLICATIONS))
    yield from filter(_runs, [_playwrights_own()])


def _runs(program: Path) -> bool:
    if not program.exists():
        return False
    try:
        return subprocess.run([program, "--version"], capture_output=True, timeout=60, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _playwrights_own() -> Path:
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path)


def _ways_to_install() -> Iterator[list[list[str]]]:
    if _has_apt():
        yield _apt_install("chromium", "fonts-noto-color-emoji")
    playwright = [sys.executable, "-m", "playwright", "install", *(["--with-deps"] if _is_root() else []), "chromium"]
    yield [playwright]
    if platform.system() == "Darwin" and shutil.which("brew"):
        yield [["brew", "install", "--cask", "google-chrome"]]


def _has_apt() -> bool:
    return _is_root() and shutil.which("apt-get") is not None


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _apt_install(*packages: str) -> list[list[str]]:
    apt = ["apt-get", "--quiet", "-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20"]
    return [[*apt, "update"], [*apt, "install", "--yes", "--no-install-recommends", *packages]]


def _succeeds(command: list[str], seconds: float = INSTALL_SECONDS) -> bool:
    print(f"A part of Chromium is missing; trying: {' '.join(command)}", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, timeout=seconds, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


if __name__ == "__main__":
    try:
        print(f"Chromium for the browser tests: {ensured()}, most in {headless_shell()}")
    except NoChromiumError as problem:
        sys.exit(str(problem))
