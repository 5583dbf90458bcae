"""axe-core, which finds faults of accessibility. It is fetched by npm when there is one, and is no part of Earshot."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Literal

import pytest
from django.conf import settings
from playwright.sync_api import Page

AXE = "axe-core@4.14.1"
FETCH_SECONDS = 60
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# In the second theme nothing but the colours is another.
RULES = ({"rules": {"target-size": {"enabled": True}}}, {"runOnly": ["color-contrast", "link-in-text-block"]})
RUN = """
async (rules) => {
  const { violations } = await axe.run(document, { ...rules, resultTypes: ["violations"], elementRef: false });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(" | ")}`);
}
"""


def fetched() -> str:
    """Return its script, fetched once and kept beside the tests' data; without npm the test is skipped."""
    folder = Path(settings.DATA_DIR) / "axe"
    script = folder / f"{AXE}.js"
    if not script.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("there is no npm to fetch axe-core with")
        folder.mkdir(parents=True, exist_ok=True)
        command = [npm, "pack", "--silent", AXE]
        packed = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False)
        if packed.returncode:
            pytest.skip("npm can't fetch axe-core here")
        with tarfile.open(folder / packed.stdout.split()[-1]) as package:
            member = package.extractfile("package/axe.min.js")
            assert member
            script.write_bytes(member.read())
    return script.read_text()


def faults(page: Page, axe: str) -> list[str]:
    """Return what axe-core finds in either theme. Its own styles need a page without our content security policy."""
    page.evaluate(axe)
    page.add_style_tag(content="*, ::before, ::after { transition: none !important }")  # from one theme's colours
    found = []
    for scheme, rules in zip(SCHEMES, RULES, strict=True):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found += [f"{page.url}, {scheme}: {fault}" for fault in page.evaluate(RUN, rules)]
    return found
