"""Earshot as an application of one's own: what its service worker does, and above all what it does not."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page, Playwright, expect

from accounts.models import User
from messaging.models import Message
from rooms.models import Room
from tests.browser.conftest import Visit, look
from tests.browser.launch import launched
from tests.browser.room_page import composer, expect_live, rows, said, write
from tests.conftest import join
from tests.server import ServerProcess

WAIT_SECONDS = 15
TEXTS_WAITING = """async () => {
  const answers = await (await caches.open("earshot-outbox")).matchAll();
  return Promise.all(answers.map(async (each) => (await each.json()).fields.text));
}"""
CALLED = "async () => (await navigator.serviceWorker.getRegistration()).sync.getTags()"
KEPT = """async () => {
  const addresses = [];
  for (const name of await caches.keys())
    for (const { url } of await (await caches.open(name)).keys()) addresses.push(new URL(url).pathname);
  return addresses;
}"""


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    with launched(playwright, is_whole=True) as chromium:
        yield chromium


def expect_worker(page: Page) -> None:
    page.wait_for_function("async () => (await navigator.serviceWorker.ready).active.state === 'activated'")


def expect_waiting(page: Page, *texts: str) -> None:
    """Wait until the worker has these messages, in this order, for the case that the page is closed."""
    page.wait_for_function(
        f"async (wanted) => JSON.stringify(await ({TEXTS_WAITING})()) === wanted",
        arg=json.dumps(texts, separators=(",", ":"), ensure_ascii=False),
    )


def test_manifest_has_nothing_that_chromium_minds(visit: Visit, db: None) -> None:
    page = visit("/accounts/login/", locale="de-DE")
    found = page.context.new_cdp_session(page).send("Page.getAppManifest")
    assert found["url"].endswith("/manifest.webmanifest")
    assert found["errors"] == []
    manifest = json.loads(found["data"])
    assert (manifest["start_url"], manifest["scope"], manifest["display"]) == ("/rooms/", "/", "standalone")
    assert (manifest["lang"], manifest["shortcuts"][0]["name"]) == ("de", "Alle Räume")
    assert {icon["purpose"] for icon in manifest["icons"]} == {"any", "maskable"}
    for icon in manifest["icons"]:
        side = page.evaluate(
            "async (src) => { const image = new Image(); image.src = src; await image.decode(); return image.width }",
            icon["src"],
        )
        assert icon["sizes"] in {"any", f"{side}x{side}"}


def test_page_for_no_connection_gives_way_when_the_server_is_back(
    visit: Visit, server: ServerProcess, room: Room, owner: User
) -> None:
    page = visit(f"/rooms/{room.slug}/", owner, locale="de-DE")
    expect_worker(page)
    server.stop()
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Earshot ist nicht zu erreichen")
    assert page.url.endswith(f"/rooms/{room.slug}/")
    assert page.locator(".card").evaluate("card => getComputedStyle(card).borderRadius") != "0px"
    page.goto("/accounts/profile/")
    expect(page.get_by_role("button", name="Noch einmal")).to_have_count(0)
    expect(page.get_by_role("link", name="Noch einmal versuchen")).to_be_visible()
    server.start()
    expect(page.get_by_role("heading", level=1)).to_have_text("Dein Profil")


def test_worker_keeps_nothing_of_a_persons(visit: Visit, room: Room, owner: User) -> None:
    page = visit(f"/rooms/{room.slug}/", owner)
    expect_worker(page)
    for path in ("/rooms/", "/accounts/profile/"):
        page.goto(path)
        expect(page.locator(".person-link__name")).to_have_text("Olga Owner")
    addresses = page.evaluate(KEPT)
    assert "/offline/" in addresses
    assert [each for each in addresses if not re.fullmatch(r"/offline/|/static/.+\.[0-9a-f]{8}\.\w+", each)] == []
    assert "Olga" not in page.evaluate("async () => (await caches.match('/offline/')).text()")


def test_streams_and_posts_go_past_the_worker(visit: Visit, room: Room, owner: User) -> None:
    page = visit(f"/rooms/{room.slug}/", owner)
    expect_worker(page)
    by_worker: dict[str, bool] = {}
    page.on("response", lambda answer: by_worker.update({_kind(answer.request): answer.from_service_worker}))
    page.reload()
    expect_live(page)
    write(page, "past it")
    expect(said(page, "past it")).to_be_visible()
    page.wait_for_function("() => !document.querySelector('.message--pending')")
    assert by_worker["GET document"], "the worker is not at work"
    assert not by_worker["GET eventsource"]
    assert not by_worker["POST fetch"]
    assert not by_worker["GET stylesheet"]


def _kind(request: Any) -> str:
    return f"{request.method} {request.resource_type}"


def test_what_waits_is_sent_after_its_page_was_closed(
    visit: Visit, server: ServerProcess, room: Room, owner: User
) -> None:
    other = visit(f"/rooms/{room.slug}/", join(room, "member"))
    page = visit(f"/rooms/{room.slug}/", owner, visibility="visible")
    bystander = page.context.new_page()  # has no script of ours
    bystander.goto("/manifest.webmanifest")
    expect_worker(page)
    server.stop()
    for text in ("first of all", "and then"):
        write(page, text)
    expect_waiting(page, "first of all", "and then")
    assert bystander.evaluate(CALLED) == []
    look(page, "hidden")
    bystander.wait_for_function(f"async () => (await ({CALLED})()).length === 1")
    page.close()
    server.start()
    assert Message.objects.count() == 0
    _dispatch_sync(bystander.context.new_cdp_session(bystander), server.url)
    for text in ("first of all", "and then"):
        expect(said(other, text)).to_be_visible()
    bystander.goto(f"/rooms/{room.slug}/")
    expect(rows(bystander)).to_have_count(2)
    expect_waiting(bystander)
    expect(bystander.locator(".message--pending")).to_have_count(0)
    assert list(Message.objects.order_by("position").values_list("text", flat=True)) == ["first of all", "and then"]


def page_that_can_not_post(visit: Visit, room: Room, user: User) -> Page:
    """Return a room's page that loses what it posts."""
    page = visit("/rooms/", user)
    expect_worker(page)
    page.route("**/messages/", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    page.goto(f"/rooms/{room.slug}/")
    expect_live(page)
    return page


def _dispatch_sync(session: CDPSession, origin: str) -> None:
    """Do what the browser does when it believes to have a network again."""
    found: list[str] = []

    def note(event: dict[str, Any]) -> None:
        ours = (each for each in event["registrations"] if each["scopeURL"].startswith(origin))
        found.extend(each["registrationId"] for each in ours)

    session.on("ServiceWorker.workerRegistrationUpdated", note)
    session.send("ServiceWorker.enable")
    deadline = time.monotonic() + WAIT_SECONDS
    while not found and time.monotonic() < deadline:
        session.send("Browser.getVersion")  # lets the event in
    sent = {"origin": origin, "registrationId": found[0], "tag": "earshot-outbox", "lastChance": False}
    session.send("ServiceWorker.dispatchSyncEvent", sent)


def test_sign_out_takes_what_waits_along(visit: Visit, room: Room, owner: User) -> None:
    page = page_that_can_not_post(visit, room, owner)
    write(page, "for nobody else")
    expect_waiting(page, "for nobody else")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect_waiting(page)


def test_discarded_message_is_not_sent_later(visit: Visit, room: Room, owner: User) -> None:
    page = page_that_can_not_post(visit, room, owner)
    write(page, "better not")
    expect_waiting(page, "better not")
    page.reload()
    expect_live(page)
    page.locator("[data-do=discard]").click()
    expect_waiting(page)
    expect(composer(page)).to_be_editable()
