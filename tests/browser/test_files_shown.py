"""Files in messages: seen in full, played, emptied of words, taken along, deleted; and people's pictures."""

from __future__ import annotations

import uuid

from playwright.sync_api import FilePayload, expect

from accounts.models import User
from messaging.actions import post_message
from messaging.models import Attachment, Message
from messaging.reactions import add_reaction
from rooms.models import Room
from tests.browser.conftest import Visit
from tests.browser.room_page import composer, expect_live, row, said, say, write
from tests.browser.test_files import TEXT, expect_sent, image, pick
from tests.conftest import join
from tests.factories import MembershipFactory, RoomFactory, UserFactory
from tests.files import making

# Chromium makes the film itself: none of our packages can.
RECORD = """async () => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 48 });
  const recorder = new MediaRecorder(canvas.captureStream(), { mimeType: "video/webm" });
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const stopped = new Promise((resolve) => { recorder.onstop = resolve; });
  recorder.start();
  for (let at = 0; at < 64; at += 4) {
    canvas.getContext("2d").fillRect(at, 0, 4, 48);
    await new Promise(requestAnimationFrame);
  }
  recorder.stop();
  await stopped;
  return [...new Uint8Array(await new Blob(parts).arrayBuffer())];
}"""
HAS_PLAYED = "film => new Promise((resolve) => { film.ontimeupdate = () => film.currentTime && resolve(true); })"


def test_lightbox_shows_pictures_and_gives_the_focus_back(visit: Visit, room: Room, owner: User) -> None:
    page = visit(f"/rooms/{room.slug}/", owner)
    expect_live(page)
    pick(page, image("one.png"), image("two.png", 300, 300), image("three.png"))
    expect_sent(page, 3)
    composer(page).press("Enter")
    links = page.locator("message-list a[data-picture]")
    expect(links).to_have_count(3)
    links.nth(1).focus()
    page.keyboard.press("Enter")
    box = page.get_by_role("dialog", name="Picture")
    shown = box.locator("[data-image]")
    expect(box).to_contain_text("two.png 2 of 3")
    expect(shown).to_have_js_property("naturalWidth", 300)
    page.keyboard.press("ArrowRight")
    expect(shown).to_have_js_property("naturalWidth", 900)
    expect(box).to_contain_text("three.png 3 of 3")
    expect(box.get_by_role("button", name="Next picture")).to_be_hidden()
    box.get_by_role("button", name="Picture before").click()
    page.keyboard.press("ArrowLeft")
    expect(box).to_contain_text("one.png 1 of 3")
    with page.expect_download() as download:
        box.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "one.png"
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    expect(links.nth(1)).to_be_focused()


def test_sound_plays_in_the_room(visit: Visit, room: Room, owner: User) -> None:
    page = visit(f"/rooms/{room.slug}/", owner)
    expect_live(page)
    pick(page, FilePayload(name="beep.wav", mimeType="audio/wav", buffer=wave()))
    expect_sent(page, 1)
    write(page, "listen")
    player = row(page, "listen").locator("audio")
    player.evaluate("each => each.load()")
    expect(player).to_have_js_property("duration", 1)


def test_film_plays_in_the_room(visit: Visit, room: Room, owner: User) -> None:
    page = visit(f"/rooms/{room.slug}/", owner)
    expect_live(page)
    film = bytes(page.evaluate(RECORD))
    pick(page, FilePayload(name="film.webm", mimeType="video/webm", buffer=film))
    expect_sent(page, 1)
    write(page, "watch")
    player = row(page, "watch").locator("video")
    player.evaluate("each => { each.muted = true; each.load(); each.play(); }")
    assert player.evaluate(HAS_PLAYED)
    expect(player).to_have_js_property("videoWidth", 64)


def wave() -> bytes:
    """One second of silence."""
    data = b"\x80" * 8_000
    head = b"RIFF" + (36 + len(data)).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    head += b"\1\0\1\0" + (8_000).to_bytes(4, "little") * 2 + b"\1\0\x08\0data" + len(data).to_bytes(4, "little")
    return head + data


def test_deleted_message_takes_its_picture_away_everywhere(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    page, other = visit(f"/rooms/{room.slug}/", member), visit(f"/rooms/{room.slug}/", owner)
    expect_live(other)
    pick(page, image())
    expect_sent(page, 1)
    write(page, "oops")
    expect(row(other, "oops").get_by_role("img", name="view.png")).to_be_visible()
    url = f"/files/{Attachment.objects.get().key}/"
    assert other.request.get(url).status == 200
    row(page, "oops").hover()
    row(page, "oops").get_by_role("button", name="Delete").click()
    expect(other.get_by_role("img", name="view.png")).to_have_count(0)
    assert other.request.get(url).status == 404


def test_files_are_sent_without_javascript(visit: Visit, room: Room, owner: User) -> None:
    page = visit(f"/rooms/{room.slug}/", owner, java_script_enabled=False)
    page.locator("input[type=file]").set_input_files([image(), TEXT])
    composer(page).fill("plain")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(row(page, "plain").get_by_role("img", name="view.png")).to_be_visible()
    expect(row(page, "plain").get_by_role("link", name="notes.txt")).to_be_visible()
    assert Message.objects.get().attachment_count == 2


def test_picture_of_a_person_is_cropped_by_the_keyboard(visit: Visit, room: Room, owner: User) -> None:
    page = visit("/accounts/profile/", owner)
    wide = FilePayload(name="me.png", mimeType="image/png", buffer=making.encoded(making.picture(400, 100), "PNG"))
    page.get_by_label("Picture", exact=True).set_input_files([wide])
    page.get_by_label("Left to right").focus()
    page.keyboard.press("End")
    colour = "canvas => [...canvas.getContext('2d').getImageData(20, 128, 1, 1).data].slice(0, 3)"
    assert page.locator("[data-view]").evaluate(colour) == [0, 0, 255]
    page.get_by_role("button", name="Use this picture").click()
    expect(page.get_by_text("Your picture has been changed.")).to_be_visible()
    shown = page.get_by_role("navigation").locator("img.avatar")
    expect(shown).to_have_js_property("naturalWidth", 256)
    page.get_by_role("button", name="Remove the picture").click()
    expect(page.get_by_text("Your picture has been removed.")).to_be_visible()
    expect(shown).to_have_count(0)


def test_words_of_a_message_with_a_file_can_be_taken_away(visit: Visit, room: Room, owner: User) -> None:
    member = join(room, "member")
    page, other = visit(f"/rooms/{room.slug}/", owner), visit(f"/rooms/{room.slug}/", member)
    expect_live(other)
    pick(page, TEXT)
    expect_sent(page, 1)
    write(page, "the wrong words")
    expect(row(other, "the wrong words")).to_be_visible()
    expect(page.locator(".message--pending")).to_have_count(0)
    row(page, "the wrong words").hover()
    row(page, "the wrong words").get_by_role("button", name="Edit").click()
    page.get_by_label("Edit your message").fill("")
    page.get_by_role("button", name="Save").click()
    for each in (page, other):
        expect(each.get_by_text("(edited)")).to_be_visible()
        expect(said(each, "the wrong words")).to_have_count(0)
        expect(each.get_by_role("link", name="notes.txt")).to_be_visible()
    # What is nothing but words has to say something.
    write(page, "only words")
    expect(page.locator(".message--pending")).to_have_count(0)
    row(page, "only words").hover()
    row(page, "only words").get_by_role("button", name="Edit").click()
    page.get_by_label("Edit your message").fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Edit your message")).to_be_visible()
    page.keyboard.press("Escape")
    expect(said(page, "only words")).to_be_visible()


def test_picture_is_forwarded_to_people_who_never_saw_its_room(visit: Visit, room: Room, owner: User) -> None:
    target = RoomFactory.create(name="Cellar", kind=Room.Kind.PRIVATE, actor=owner)
    friend = UserFactory.create(username="friend")
    MembershipFactory.create(room=target, member=friend)
    page, other = visit(f"/rooms/{room.slug}/", owner), visit(f"/rooms/{target.slug}/", friend)
    expect_live(other)
    pick(page, image())
    expect_sent(page, 1)
    write(page, "see here")
    expect(page.locator(".message--pending")).to_have_count(0)
    row(page, "see here").hover()
    row(page, "see here").get_by_role("button", name="Forward").click()
    dialog = page.get_by_role("dialog", name="Forward this message")
    dialog.get_by_label("To").select_option("Cellar")
    dialog.get_by_role("button", name="Forward").click()
    for _ in range(2):
        picture = other.get_by_role("img", name="view.png")
        expect(picture).to_have_js_property("naturalWidth", 720)
        other.reload()


def test_new_picture_of_a_person_shows_in_open_pages_with_their_next_message(
    visit: Visit, room: Room, owner: User
) -> None:
    member = join(room, "member")
    say(room, member, "as I was")
    page, theirs = visit(f"/rooms/{room.slug}/", owner), visit("/accounts/profile/", member)
    expect_live(page)
    places = (row(page, "as I was").locator(".avatar"), page.locator(f"[data-person='{member.pk}'] .avatar"))
    for place in places:
        expect(place).to_have_text("M")
    theirs.locator("input[name=picture]").set_input_files([image()])
    theirs.get_by_role("button", name="Use this picture").click()
    expect(theirs.get_by_role("button", name="Remove the picture")).to_be_visible()
    member.refresh_from_db()
    say(room, member, "as I am")
    expect(said(page, "as I am")).to_be_visible()
    for place in places:
        expect(place).to_have_attribute("src", member.avatar_url)
        expect(place).to_have_js_property("naturalWidth", 256)


def test_quote_of_a_picture_stays_when_somebody_reacts_to_it(visit: Visit, room: Room, owner: User) -> None:
    page = visit(f"/rooms/{room.slug}/", owner)
    expect_live(page)
    pick(page, image())
    expect_sent(page, 1)
    composer(page).press("Enter")
    expect(page.locator("message-list a[data-picture]")).to_be_visible()
    picture = Message.objects.get()
    post_message(room, author=owner, text="nice", client_id=uuid.uuid4(), reply_to=picture)
    expect(row(page, "nice").locator(".quote__text")).to_have_text("📎")
    add_reaction(picture, emoji="🎂", actor=owner)
    expect(page.locator(".reaction")).to_be_visible()
    expect(row(page, "nice").locator(".quote__text")).to_have_text("📎")
