"""What browsers load of our own: small, and whole."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User
from project.joining import joined_scripts
from rooms.models import Room
from tests.browser.conftest import Visit
from tests.browser.room_page import expect_live
from tests.served import served
from tests.server import ROOT, ServerProcess

MOST_BYTES = 120_000
MOST_SCRIPTS = 8  # that a browser waits for, of some sixty that are written
# What only pages of an account load, and the page for no connection.
ELSEWHERE = {f"js/elements/{name}.js" for name in ("copy-text", "pass-key", "picture-cropper")} | {"js/offline.js"}
SOURCES = ROOT / "project" / "static"
IMPORTED = """async (urls) => {
  const faults = [];
  for (const url of urls) await import(url).catch((error) => faults.push(`${url}: ${error}`));
  return faults;
}"""


@pytest.mark.skipif(find_spec("minify") is None, reason="there is no library that minifies for this machine")
def test_scripts_and_styles_of_a_room_are_under_120_kilobytes(server: ServerProcess) -> None:
    files = served()
    assert "js/room.js" in files
    assert "css/app.css" in files
    assert set(files) >= ELSEWHERE
    worker = Client().get("/sw.js").content
    assert sum(path.stat().st_size for name, path in files.items() if name not in ELSEWHERE) + len(worker) < MOST_BYTES


def test_one_style_sheet_holds_them_all(server: ServerProcess) -> None:
    assert [name for name in served() if name.endswith(".css")] == ["css/app.css"]
    text = served()["css/app.css"].read_text()
    assert "@import" not in text
    for name in ("--canvas:", ".message", ".composer", ".visually-hidden"):
        assert name in text


def test_every_minified_script_is_one_that_a_browser_takes(visit: Visit, room: Room, owner: User) -> None:
    page = visit(f"/rooms/{room.slug}/", owner)
    expect_live(page)
    scripts = {name: path for name, path in served().items() if name.endswith(".js")}
    sources = {path.relative_to(SOURCES).as_posix(): path.read_text() for path in (SOURCES / "js").rglob("*.js")}
    assert scripts.keys() == joined_scripts(sources).keys()
    urls = [f"{settings.STATIC_URL}{path.relative_to(settings.STATIC_ROOT).as_posix()}" for path in scripts.values()]
    assert page.evaluate(IMPORTED, urls) == []
    assert page.evaluate(IMPORTED, [f"{settings.STATIC_URL}js/none.js"]) != []


def test_modules_of_a_room_are_asked_for_at_once(visit: Visit, room: Room, owner: User) -> None:
    page = visit("/rooms/", owner)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"/rooms/{room.slug}/")
    expect_live(page)
    links = page.locator("link[rel=modulepreload]")
    named = set(links.evaluate_all("links => links.map(({ href }) => href)"))
    scripts = {url for url in asked if url.endswith(".js") and "/static/" in url}
    entries = set(page.locator("script[src]").evaluate_all("scripts => scripts.map(({ src }) => src)"))
    assert named == scripts - entries
    assert 3 < len(scripts) <= MOST_SCRIPTS
