"""Files in a room: picked, pasted, dropped, sent, seen."""

from __future__ import annotations

import base64
import re

from playwright.sync_api import FilePayload, Locator, Page, expect

from accounts.models import User
from messaging.models import Message
from rooms.models import Room
from tests.browser.conftest import Visit
from tests.browser.proxy import POSTING, Proxy
from tests.browser.room_page import composer, expect_live, row, rows, write
from tests.conftest import join
from tests.files import making

UPLOADING = re.compile(r"^POST \S+/files/")
SENDING = re.compile(r"^POST \S+/(files|messages)/")
TEXT = FilePayload(name="notes.txt", mimeType="text/plain", buffer=b"some notes")


def image(name: str = "view.png", width: int = 900, height: int = 600) -> FilePayload:
    return FilePayload(name=name, mimeType="image/png", buffer=making.png(width, height))


def pick(page: Page, *files: FilePayload) -> None:
    page.get_by_label("Add files").set_input_files(list(files))


def tray(page: Page) -> Locator:
    return page.get_by_role("list", name="Files to send").get_by_role("listitem")


def expect_sent(page: Page, count: int) -> None:
    """Wait until all files of the tray are on the server."""
    expect(tray(page)).to_have_count(count)
    expect(tray(page).locator("progress:visible")).to_have_count(0)


def hand_over(page: Page, event: str, target: str, *files: FilePayload) -> None:
    """Paste or drop files, as a browser does it."""
    listed = [
        {"name": file["name"], "type": file["mimeType"], "data": base64.b64encode(file["buffer"]).decode()}
        for file in files
    ]
    page.evaluate(
        """([event, target, files]) => {
          const carried = new DataTransfer();
          for (const { name, type, data } of files) {
            carried.items.add(new File([Uint8Array.from(atob(data), (each) => each.charCodeAt(0))], name, { type }));
          }
          const options = { bubbles: true, cancelable: true, dataTransfer: carried, clipboardData: carried };
          const made = event === "paste" ? new ClipboardEvent(event, options) : new DragEvent(event, options);
          document.querySelector(target).dispatchEvent(made);
        }""",
        [event, target, listed],
    )


def test_files_are_picked_sent_and_seen_by_others(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    page, other = visit(f"/rooms/{room.slug}/", member), visit(f"/rooms/{room.slug}/", owner)
    expect_live(other)
    pick(page, image(), TEXT)
    expect_sent(page, 2)
    expect(tray(page).first.locator("img")).to_be_visible()
    expect(composer(page)).to_be_focused()
    write(page, "look at this")
    expect(tray(page)).to_have_count(0)
    for each in (page, other):
        shown = row(each, "look at this")
        expect(shown.locator(".message__status")).to_have_count(0)
        picture = shown.get_by_role("img", name="view.png")
        expect(picture).to_have_js_property("complete", True)
        expect(picture).to_have_js_property("naturalWidth", 720)
        expect(shown.get_by_role("link", name="notes.txt")).to_contain_text("10")
    with other.expect_download() as download:
        row(other, "look at this").get_by_role("link", name="notes.txt").click()
    assert download.value.suggested_filename == "notes.txt"
    assert download.value.path().read_bytes() == b"some notes"


def test_picture_has_its_place_before_it_comes(visit: Visit, proxy: Proxy, room: Room, owner: User) -> None:
    pick_page = visit(f"/rooms/{room.slug}/", owner)
    expect_live(pick_page)
    pick(pick_page, image(width=300, height=200))
    expect_sent(pick_page, 1)
    write(pick_page, "tall")
    expect(row(pick_page, "tall").get_by_role("img", name="view.png")).to_be_visible()
    page = visit(f"/rooms/{room.slug}/", owner, through=proxy)
    place = row(page, "tall").get_by_role("img", name="view.png")
    with_image = place.bounding_box()
    proxy.reset(re.compile(r"^GET /files/"))
    page.reload()
    expect(place).to_have_js_property("naturalWidth", 0)
    assert place.bounding_box() == with_image


def test_several_pictures_are_pasted_and_dropped_and_sent_without_text(visit: Visit, room: Room, owner: User) -> None:
    page = visit(f"/rooms/{room.slug}/", owner)
    expect_live(page)
    hand_over(page, "paste", "#composer-text", image("pasted.png"))
    expect_sent(page, 1)
    hand_over(page, "dragover", "message-list", image("dropped.png"))
    expect(page.get_by_text("Drop files to send them to Kitchen")).to_be_visible()
    hand_over(page, "drop", "message-list", image("dropped.png"), image("too.png"))
    expect(page.get_by_text("Drop files to send them to Kitchen")).to_be_hidden()
    expect_sent(page, 3)
    composer(page).press("Enter")
    names = ["pasted.png", "dropped.png", "too.png"]
    expect(rows(page).get_by_role("img")).to_have_count(3)
    assert [each.get_attribute("alt") for each in rows(page).get_by_role("img").all()] == names
    assert Message.objects.get().text == ""


def test_file_is_removed_by_the_keyboard_before_it_is_sent(visit: Visit, room: Room, owner: User) -> None:
    page = visit(f"/rooms/{room.slug}/", owner)
    expect_live(page)
    pick(page, image("one.png"), image("two.png"), TEXT)
    expect_sent(page, 3)
    page.get_by_role("button", name="Remove two.png").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Remove notes.txt")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Remove one.png")).to_be_focused()
    page.keyboard.press("Enter")
    expect(composer(page)).to_be_focused()
    expect(page.locator("file-tray")).to_be_hidden()
    write(page, "nothing with it")
    expect(row(page, "nothing with it").locator(".files")).to_have_count(0)
    expect(rows(page)).to_have_count(1)
    assert Message.objects.get().attachment_count == 0


def test_message_waits_for_its_files_and_others_go_ahead(visit: Visit, proxy: Proxy, room: Room, owner: User) -> None:
    page = visit(f"/rooms/{room.slug}/", owner, through=proxy)
    expect_live(page)
    proxy.hold(UPLOADING)
    pick(page, TEXT)
    expect(tray(page).locator("progress")).to_be_visible()
    write(page, "with a file")
    expect(page.locator(".message--pending .file-card")).to_contain_text("notes.txt")
    write(page, "without one")
    expect(row(page, "without one")).to_have_attribute("data-position", re.compile(r"\d+"))
    assert not Message.objects.filter(text="with a file").exists()
    proxy.cut(UPLOADING)
    status = page.locator(".message--pending .message__status")
    expect(status).to_contain_text("Not sent.")
    proxy.pass_on()
    status.get_by_role("button", name="Retry").click()
    expect(row(page, "with a file").get_by_role("link", name="notes.txt")).to_be_visible()
    expect(page.locator(".message--pending")).to_have_count(0)
    assert Message.objects.get(text="with a file").attachment_count == 1


def test_failed_file_is_tried_again_from_the_tray(visit: Visit, proxy: Proxy, room: Room, owner: User) -> None:
    page = visit(f"/rooms/{room.slug}/", owner, through=proxy)
    expect_live(page)
    proxy.reset(UPLOADING)
    pick(page, TEXT)
    expect(tray(page)).to_contain_text("could not be sent")
    composer(page).press("Enter")
    expect(page.locator("[data-error]").first).to_contain_text("Try the files that failed again")
    proxy.pass_on()
    tray(page).get_by_role("button", name="Retry").click()
    expect_sent(page, 1)
    composer(page).press("Enter")
    expect(rows(page).get_by_role("link", name="notes.txt")).to_be_visible()


def test_bad_files_are_refused_with_a_reason(visit: Visit, room: Room, owner: User) -> None:
    page = visit(f"/rooms/{room.slug}/", owner)
    expect_live(page)
    pick(page, FilePayload(name="broken.png", mimeType="image/png", buffer=making.png()[:60]))
    expect(tray(page)).to_contain_text("This image is damaged")
    page.get_by_role("button", name="Remove broken.png").click()
    pick(page, FilePayload(name="nothing.txt", mimeType="text/plain", buffer=b""))
    expect(page.get_by_role("alert").filter(has_text="nothing.txt is empty.")).to_be_visible()
    pick(page, *[FilePayload(name=f"{number}.txt", mimeType="text/plain", buffer=b"x") for number in range(11)])
    expect(page.get_by_role("alert").filter(has_text="at most 10 files")).to_be_visible()
    expect_sent(page, 10)


def test_what_has_been_sent_survives_a_reload_and_the_rest_is_named(
    visit: Visit, proxy: Proxy, room: Room, owner: User
) -> None:
    page = visit(f"/rooms/{room.slug}/", owner, through=proxy)
    expect_live(page)
    pick(page, image())
    expect_sent(page, 1)
    page.reload()
    expect(tray(page)).to_contain_text("view.png")
    expect(tray(page).locator("img")).to_be_visible()
    proxy.reset(POSTING)
    write(page, "the message waits")
    expect(page.locator(".message--pending")).to_contain_text("view.png")
    proxy.hold(SENDING)
    pick(page, TEXT)
    write(page, "the file was not there yet")
    expect(page.locator(".message--pending")).to_have_count(2)
    page.reload()
    lost = page.locator(".message--pending", has_text="the file was not there yet")
    expect(lost).to_contain_text("Choose these files again: notes.txt")
    proxy.pass_on()
    proxy.cut(POSTING)
    expect(row(page, "the message waits").get_by_role("img", name="view.png")).to_be_visible()
    lost.get_by_role("button", name="Retry").click()
    expect(lost).to_have_count(0)
    expect(composer(page)).to_have_value("the file was not there yet")
    pick(page, TEXT)
    expect_sent(page, 1)
    composer(page).press("Enter")
    expect(row(page, "the file was not there yet").get_by_role("link", name="notes.txt")).to_be_visible()
    assert list(Message.objects.order_by("position").values_list("text", "attachment_count")) == [
        ("the message waits", 1),
        ("the file was not there yet", 1),
    ]
