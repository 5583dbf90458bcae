"""No page has a fault that axe-core can find. It is fetched by npm when there is one, and is no part of Earshot."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from accounts.models import User
from messaging.actions import delete_message
from rooms.models import Membership, Room
from tests.browser.conftest import Visit
from tests.browser.room_page import expect_live, row, said, say
from tests.conftest import join
from tests.factories import MessageFactory

AXE = "axe-core@4.14.1"
FETCH_SECONDS = 60
PAGES = [
    "/rooms/",
    "/rooms/new/",
    "/rooms/{slug}/members/",
    "/rooms/{slug}/settings/",
    "/accounts/profile/",
    "/nothing/",
]
PAGES_SIGNED_OUT = ["/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"]
RUN = """
async () => {
  const { violations } = await axe.run(document);
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(" | ")}`);
}
"""


@pytest.fixture(scope="session")
def axe() -> str:
    """Return axe-core's script, fetched once and kept beside the tests' data."""
    folder = Path(settings.DATA_DIR) / "axe"
    script = folder / f"{AXE}.js"
    if not script.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("there is no npm to fetch axe-core with")
        folder.mkdir(parents=True, exist_ok=True)
        command = [npm, "pack", "--silent", AXE]
        fetched = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False
        )
        if fetched.returncode:
            pytest.skip("npm can't fetch axe-core here")
        with tarfile.open(folder / fetched.stdout.split()[-1]) as package:
            member = package.extractfile("package/axe.min.js")
            assert member
            script.write_bytes(member.read())
    return script.read_text()


def faults(page: Page, axe: str) -> list[str]:
    """Return what axe-core finds. Its own styles need a page without our content security policy."""
    page.evaluate(axe)
    return [f"{page.url}: {fault}" for fault in page.evaluate(RUN)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_have_no_fault(visit: Visit, axe: str, room: Room, owner: User, scheme: str) -> None:
    join(room, "moderator", Membership.Role.MODERATOR)
    found = []
    page = visit("/rooms/", owner, color_scheme=scheme, bypass_csp=True)
    for path in PAGES:
        page.goto(path.format(slug=room.slug))
        found += faults(page, axe)
    page = visit("/accounts/login/", color_scheme=scheme, bypass_csp=True)
    for path in PAGES_SIGNED_OUT:
        page.goto(path)
        found += faults(page, axe)
    assert found == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_room_in_use_has_no_fault(visit: Visit, axe: str, room: Room, owner: User, scheme: str) -> None:
    member = join(room, "member")
    code, gone = say(room, member, "```python\nreturn {'key': 1}  # where?\n```", "I never said this")
    MessageFactory.create(room=room, author=owner, text="On the **shelf**", reply_to=code)
    delete_message(gone, actor=member)
    page, other = (
        visit(f"/rooms/{room.slug}/", owner, color_scheme=scheme, bypass_csp=True),
        visit(f"/rooms/{room.slug}/", member, bypass_csp=True),
    )
    expect_live(page)
    row(page, "shelf").hover()
    row(page, "shelf").get_by_role("button", name="Reply").click()
    expect_live(other)
    other.get_by_label("Your message", exact=True).press_sequentially("Tell")
    expect(page.locator("typing-line")).to_have_text("Member is typing…")
    page.context.set_offline(True)
    page.get_by_label("Your message", exact=True).fill("On its way")
    page.get_by_label("Your message", exact=True).press("Enter")
    expect(page.get_by_text("Not sent yet. Trying again…")).to_be_visible()
    expect(page.get_by_text("Reconnecting…")).to_be_visible()
    found = faults(page, axe)
    page.context.set_offline(False)
    expect(said(other, "On its way")).to_be_visible()
    assert found + faults(other, axe) == []


def test_fault_would_be_found(visit: Visit, axe: str) -> None:
    page = visit("/accounts/login/", bypass_csp=True)
    page.locator("label").first.evaluate("label => label.remove()")
    assert any("label" in fault for fault in faults(page, axe))
