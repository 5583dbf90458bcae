"""What is begun in a room before it is pictured: `tests.browser.screenshots` goes through STATES."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO
from itertools import count

from PIL import Image, ImageChops
from playwright.sync_api import FilePayload, Locator, Page, expect

FORBIDDEN = '{"errors": {"__all__": ["This room does not let “shed” through."]}}'
PROSE = """Build {number} in **two** steps; ||the second is a surprise||. See [the notes](https://fathom.example.com/builds):

```python
for step in steps:
    step.run(timeout=30)  # seconds
```
"""
NUMBERS = count(12)  # nobody may say the same twice in a row


def last_row(page: Page) -> Locator:
    return page.locator("[data-rows] > li[data-id]:not(.message--deleted)").last


def composer(page: Page) -> Locator:
    return page.locator("#composer-text")


def send(page: Page) -> None:
    page.locator("message-composer .composer__send").click()  # on a phone, Enter breaks the line


def act(page: Page, action: str) -> None:
    """Choose one of the actions of the last message."""
    last_row(page).hover()
    last_row(page).locator(f"[data-do={action}]").click()


def begin_a_message(page: Page) -> None:
    composer(page).press_sequentially("Ask @k")
    page.locator(".suggestion").first.wait_for()


def pick_an_emoji(page: Page) -> None:
    page.locator("message-composer [data-do=emoji]").click()
    page.locator(".picker__emoji").first.wait_for()


def react(page: Page) -> None:
    act(page, "react")
    page.locator(".picker__emoji").first.click()
    last_row(page).locator(".reaction").first.wait_for()


def show_who_reacted(page: Page) -> None:
    react(page)
    last_row(page).locator(".reaction").first.click(button="right")
    page.locator("[data-who]:popover-open").wait_for()


def delete(page: Page) -> None:
    act(page, "delete")
    page.locator("[data-do=undo]").wait_for()


def forward(page: Page) -> None:
    act(page, "forward")
    page.locator("dialog[open]").wait_for()


def reply(page: Page) -> None:
    act(page, "reply")
    composer(page).fill("On my way.")


def edit(page: Page) -> None:
    say(page, f"Thursday at {next(NUMBERS)} past nine sounds god")
    act(page, "edit")
    page.locator("[data-rows] textarea").wait_for()


def show_what_was_said_before(page: Page) -> None:
    edit(page)
    page.locator("[data-rows] textarea").fill(f"Thursday at {next(NUMBERS)} past nine sounds good")
    page.locator("message-editor button", has_text="Save").click()
    last_row(page).locator(".message__edited").click()
    page.locator(".revisions li").first.wait_for()


def write_at_length(page: Page) -> None:
    composer(page).fill(PROSE.format(number=next(NUMBERS)))
    send(page)
    expect(last_row(page).locator("pre")).to_be_visible()
    expect(page.locator(".message--pending")).to_have_count(0)
    say(page, "🦔" * (next(NUMBERS) % 3 + 1))


def open_the_menu(page: Page) -> None:
    """On a phone it is behind a button; elsewhere it is there, and a room in it is pointed at."""
    button = page.locator(".room__header .menu-button")
    if button.is_visible():
        button.click()
        page.locator("#sidebar:popover-open").wait_for()
    else:
        page.locator(".sidebar [data-room]").first.hover()


def pin(page: Page) -> None:
    if not last_row(page).locator(".message__pin").count():
        act(page, "pin")
    page.locator(".room__header").get_by_role("link", name=re.compile("^Pinned")).click()
    page.locator("dialog[open] li").first.wait_for()


def pick_files(page: Page) -> None:
    page.locator("message-composer input[type=file]").set_input_files(pictures())
    tray = page.get_by_role("list", name="Files to send").get_by_role("listitem")
    expect(tray).to_have_count(len(pictures()))
    expect(tray.locator("progress:visible")).to_have_count(0)
    composer(page).fill(f"The new housing, cast number {next(NUMBERS)}")


def send_files(page: Page) -> None:
    pick_files(page)
    send(page)
    expect(page.locator(".message--pending")).to_have_count(0)
    expect(last_row(page).locator("a[data-picture] img")).to_have_count(len(pictures()))
    for image in last_row(page).locator("a[data-picture] img").all():
        expect(image).to_have_js_property("complete", True)


def show_a_picture(page: Page) -> None:
    send_files(page)
    last_row(page).locator("a[data-picture]").first.click()
    expect(page.locator("dialog[open] [data-image]")).not_to_have_js_property("naturalWidth", 0)


def fail_to_send(page: Page) -> None:
    page.route(
        "**/messages/",
        lambda route: route.fulfill(status=403, content_type="application/json", body=FORBIDDEN),
    )
    composer(page).fill("Who painted the shed?")
    send(page)
    page.locator(".message--pending [data-do=retry]").wait_for()


def lose_the_network(page: Page) -> None:
    expect(page.locator("[data-here-count]").first).not_to_be_empty()  # a stream on its way would still come
    page.context.set_offline(True)
    composer(page).fill("Is anybody there?")
    send(page)
    page.locator("connection-state p:visible").wait_for()


def say(page: Page, text: str) -> None:
    composer(page).fill(text)
    send(page)
    expect(last_row(page)).to_contain_text(text)
    expect(page.locator(".message--pending")).to_have_count(0)


def pictures() -> list[FilePayload]:
    sizes = {"front.png": (900, 600), "back.png": (600, 600), "side.png": (400, 700)}
    return [FilePayload(name=name, mimeType="image/png", buffer=picture(*size)) for name, size in sizes.items()]


def picture(width: int, height: int) -> bytes:
    """Draw a light in the mist."""
    light, dusk = Image.radial_gradient("L"), Image.linear_gradient("L")
    bands = (ImageChops.add(light, dusk, scale=2), ImageChops.multiply(light, dusk), dusk)
    file = BytesIO()
    Image.merge("RGB", bands).resize((width, height)).save(file, "PNG")
    return file.getvalue()


# What is begun, and the key that takes it back.
STATES: dict[str, tuple[Callable[[Page], None], str]] = {
    "suggestions": (begin_a_message, "Escape"),
    "emoji": (pick_an_emoji, "Escape"),
    "reaction": (react, "Escape"),
    "reactors": (show_who_reacted, "Escape"),
    "revisions": (show_what_was_said_before, "Escape"),
    "prose": (write_at_length, "Escape"),
    "menu": (open_the_menu, "Escape"),
    "undo": (delete, "Enter"),
    "forward": (forward, "Escape"),
    "reply": (reply, "Escape"),
    "edit": (edit, "Escape"),
    "pins": (pin, "Escape"),
    "tray": (pick_files, "Escape"),
    "files": (send_files, "Escape"),
    "lightbox": (show_a_picture, "Escape"),
    "failed": (fail_to_send, "Escape"),
    "offline": (lose_the_network, "Escape"),
}
