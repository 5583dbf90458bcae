"""What helps with writing: keys, shortcuts, names and emoji that are offered."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from accounts.actions import choose_enter
from accounts.models import User
from messaging.models import Message
from rooms.actions import change_policy
from rooms.models import Membership, Room
from tests.browser.conftest import Visit
from tests.browser.room_page import composer, expect_live, row, rows, said, say, write
from tests.conftest import join
from tests.factories import RoomFactory

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def suggestions(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Suggestions").get_by_role("option")


def texts() -> list[str]:
    return list(Message.objects.order_by("position").values_list("text", flat=True))


def test_enter_does_what_its_person_has_chosen_on_every_device(visit: Visit, room: Room, owner: User) -> None:
    page = visit("/accounts/profile/", owner)
    page.get_by_label("breaks the line; Ctrl+Enter").check()
    page.get_by_role("region", name="Writing").get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your setting has been kept.")).to_be_visible()
    page = visit(f"/rooms/{room.slug}/", owner)
    expect_live(page)
    composer(page).press_sequentially("one\ntwo")
    expect(composer(page)).to_have_value("one\ntwo")
    composer(page).press("Control+Enter")
    expect(rows(page)).to_have_count(1)
    composer(page).press("ArrowUp")
    editor = page.get_by_label("Edit your message")
    editor.press("End")
    editor.press("Enter")
    editor.press_sequentially("three")
    editor.press("Control+Enter")
    expect(rows(page)).to_contain_text("(edited)")
    choose_enter(owner, sends=True)
    page.reload()
    composer(page).press_sequentially("four")
    composer(page).press("Shift+Enter")
    composer(page).press_sequentially("five\n")
    expect(rows(page)).to_have_count(2)
    composer(page).press_sequentially("six")
    composer(page).press("Control+Enter")
    expect(rows(page)).to_have_count(3)
    assert texts() == ["one\ntwo\nthree", "four\nfive", "six"]


@pytest.mark.parametrize("sends", [True, False])
def test_enter_does_so_also_before_the_scripts_have_come(visit: Visit, room: Room, owner: User, sends: bool) -> None:
    choose_enter(owner, sends=sends)
    page = visit("/rooms/", owner)
    page.route("**/js/room*.js", lambda route: None)
    page.get_by_role("link", name="Kitchen").first.click()
    composer(page).press_sequentially("early")
    composer(page).press("Enter")
    if sends:
        expect(rows(page)).to_have_count(1)
    else:
        composer(page).press_sequentially("bird")
        expect(composer(page)).to_have_value("early\nbird")
        composer(page).press("Control+Enter")
        expect(rows(page)).to_have_count(1)
    assert texts() == ["early" if sends else "early\nbird"]


def test_enter_of_an_input_method_sends_nothing(visit: Visit, room: Room, owner: User) -> None:
    page = visit(f"/rooms/{room.slug}/", owner)
    expect_live(page)
    keyboard = page.context.new_cdp_session(page)
    composer(page).focus()
    keyboard.send("Input.imeSetComposition", {"text": "にほ", "selectionStart": 2, "selectionEnd": 2})
    process = {"type": "rawKeyDown", "key": "Process", "code": "Enter", "windowsVirtualKeyCode": 229}
    keyboard.send("Input.dispatchKeyEvent", process)
    keyboard.send("Input.insertText", {"text": "日本"})
    expect(composer(page)).to_have_value("日本")
    composer(page).press("Enter")
    expect(rows(page)).to_have_count(1)
    assert texts() == ["日本"]


def test_on_a_phone_enter_is_a_new_line_and_the_composer_grows(visit: Visit, room: Room, owner: User) -> None:
    page = visit(f"/rooms/{room.slug}/", owner, **PHONE)
    expect_live(page)
    before = composer(page).bounding_box()
    composer(page).press_sequentially("one\ntwo\nthree\nfour")
    after = composer(page).bounding_box()
    assert before
    assert after
    assert after["height"] > before["height"] * 1.8
    composer(page).fill("\n".join("line" for _ in range(60)))
    longest = composer(page).bounding_box()
    assert longest
    assert longest["height"] < 400, "it scrolls before it takes the page"
    page.get_by_role("button", name="Send").tap()
    expect(rows(page)).to_have_count(1)


@pytest.mark.parametrize(
    ("key", "marked"),
    [
        ("Control+b", "a **word** b"),
        ("Control+i", "a *word* b"),
        ("Control+e", "a `word` b"),
        ("Control+Shift+X", "a ~~word~~ b"),
        ("Control+k", "a [word]() b"),
    ],
)
def test_shortcut_marks_what_is_selected_and_is_undone(
    visit: Visit, room: Room, owner: User, key: str, marked: str
) -> None:
    page = visit(f"/rooms/{room.slug}/", owner)
    expect_live(page)
    field = composer(page)
    field.press_sequentially("a word b")
    field.evaluate("field => field.setSelectionRange(2, 6)")
    field.press(key)
    expect(field).to_have_value(marked)
    field.press("Control+z")
    expect(field).to_have_value("a word b")
    field.press("Control+Shift+z")
    expect(field).to_have_value(marked)
    if key != "Control+k":
        field.evaluate("(field, at) => field.setSelectionRange(at, at + 4)", marked.index("word"))
        field.press(key)
        expect(field).to_have_value("a word b")


def test_link_is_made_of_an_address_and_bold_is_not_taken_for_italic(visit: Visit, room: Room, owner: User) -> None:
    page = visit(f"/rooms/{room.slug}/", owner)
    expect_live(page)
    field = composer(page)
    field.press_sequentially("https://example.org/")
    field.press("Control+a")
    field.press("Control+k")
    field.press_sequentially("name")
    expect(field).to_have_value("[name](https://example.org/)")
    field.fill("**word**")
    field.evaluate("field => field.setSelectionRange(2, 6)")
    field.press("Control+i")
    expect(field).to_have_value("***word***")


def test_people_are_offered_the_last_speaker_first(visit: Visit, room: Room, owner: User) -> None:
    ana, anton = join(room, "ana"), join(room, "anton")
    say(room, ana, "first")
    say(room, anton, "second")
    page = visit(f"/rooms/{room.slug}/", owner)
    expect_live(page)
    field = composer(page)
    field.press_sequentially("Hello @an")
    expect(suggestions(page)).to_have_text([re.compile("@anton.*Anton"), re.compile("@ana.*Ana")])
    expect(page.locator("[data-announcer]")).to_have_text("Suggestions: 2. Arrow keys choose.")
    for key, chosen in (("ArrowDown", "@ana"), ("ArrowDown", "@anton"), ("ArrowUp", "@ana")):
        field.press(key)
        marked = page.get_by_role("option", selected=True)
        expect(marked).to_contain_text(f"{chosen} ")
        expect(field).to_have_attribute("aria-activedescendant", str(marked.get_attribute("id")))
    expect(field).to_be_focused()
    field.press("Enter")
    expect(field).to_have_value("Hello @ana ")
    expect(suggestions(page)).to_have_count(0)
    field.press("Enter")
    expect(row(page, "Hello @ana").locator(".mention")).to_have_attribute("data-username", "ana")
    assert texts()[-1] == "Hello @ana"
    field.press_sequentially("@a")
    expect(suggestions(page)).to_have_count(2)
    field.press("Escape")
    expect(suggestions(page)).to_have_count(0)
    expect(field).to_have_value("@a")
    field.press("Control+z")


def test_people_beyond_the_list_are_asked_for(visit: Visit, room: Room, owner: User) -> None:
    join(room, "zoe")
    page = visit(f"/rooms/{room.slug}/", owner)
    expect_live(page)
    page.locator("[data-people] > li", has_text="Zoe").evaluate("row => row.remove()")  # as if there were very many
    with page.expect_response(re.compile(r"/members/\?begins=zo")):
        composer(page).press_sequentially("@zo")
    expect(suggestions(page)).to_have_text([re.compile("@zoe.*Zoe")])
    composer(page).press("Enter")
    expect(composer(page)).to_have_value("@zoe ")
    composer(page).press_sequentially("@nobody")
    expect(suggestions(page)).to_have_count(0)


def test_suggestion_is_tapped_on_a_phone(visit: Visit, room: Room, owner: User) -> None:
    join(room, "ana")
    page = visit(f"/rooms/{room.slug}/", owner, **PHONE)
    expect_live(page)
    composer(page).press_sequentially("@an")
    suggestions(page).tap()
    expect(composer(page)).to_have_value("@ana ")
    expect(composer(page)).to_be_focused()


def test_everybody_is_offered_to_those_who_may_call_them(visit: Visit, room: Room, owner: User) -> None:
    member, moderator = join(room, "member"), join(room, "mod", Membership.Role.MODERATOR)
    everybody: list[re.Pattern[str]] = [re.compile("@room")]
    cases = [(Membership.Role.MODERATOR, owner, everybody), (Membership.Role.MODERATOR, member, [])]
    cases += [(Membership.Role.MEMBER, member, everybody), (Membership.Role.OWNER, moderator, [])]
    for who_calls_all, person, offered in cases:
        change_policy(room, actor=owner, who_calls_all=who_calls_all)
        page = visit(f"/rooms/{room.slug}/", person)
        expect_live(page)
        composer(page).press_sequentially("@me" if person == owner else "@ow")
        expect(suggestions(page)).to_have_count(1)
        composer(page).fill("@roo")
        expect(suggestions(page)).to_have_text(offered)


def test_public_rooms_are_offered_and_lead_there(visit: Visit, room: Room, private_room: Room, owner: User) -> None:
    RoomFactory.create(name="Vegetable garden", actor=owner)
    page = visit(f"/rooms/{room.slug}/", owner)
    expect_live(page)
    composer(page).press_sequentially("see #v")
    expect(suggestions(page)).to_have_text([re.compile("#vegetable-garden")])
    composer(page).press("Tab")
    composer(page).press("Enter")
    link = row(page, "see #vegetable-garden").get_by_role("link", name="#vegetable-garden")
    link.click()
    expect(page.get_by_role("heading", name="Vegetable garden")).to_be_visible()


def test_emoji_are_offered_by_name(visit: Visit, room: Room, owner: User) -> None:
    page = visit(f"/rooms/{room.slug}/", owner)
    expect_live(page)
    field = composer(page)
    with page.expect_response(re.compile("/emoji/")):
        field.press_sequentially("yes :tad")
    expect(suggestions(page).first).to_contain_text("🎉")
    field.press("Enter")
    field.press_sequentially(":thumbsup:")
    expect(field).to_have_value("yes 🎉 👍")
    field.press("Control+z")
    expect(field).to_have_value("yes 🎉 :thumbsup:")
    field.fill("at 12:30: yes")
    expect(suggestions(page)).to_have_count(0)


def test_emoji_are_picked_in_a_tone_and_the_last_ones_come_first(visit: Visit, room: Room, owner: User) -> None:
    page = visit(f"/rooms/{room.slug}/", owner)
    expect_live(page)
    composer(page).press_sequentially("well")
    button = page.get_by_role("button", name="Emoji")
    picker = page.get_by_role("dialog", name="Emoji")
    options = picker.get_by_role("listbox").get_by_role("option")
    button.click()
    expect(options.nth(1_000)).to_be_attached()
    picker.get_by_label("Skin tone").select_option("3")
    search = picker.get_by_role("combobox", name="Search emoji")
    search.fill("thumbs u")
    expect(options).to_have_text(["👍🏽"])
    search.press("Enter")
    expect(picker).to_be_hidden()
    expect(composer(page)).to_have_value("well👍🏽")
    button.click()
    expect(options.first).to_have_text("👍🏽")
    search.press("ArrowRight")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    search.press("ArrowDown")
    expect(options.nth(1)).not_to_have_attribute("aria-selected", "true")
    search.press("ArrowUp")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    search.fill("zzzz")
    expect(picker.get_by_text("No emoji found.")).to_be_visible()
    search.press("Escape")
    search.press("Escape")
    expect(picker).to_be_hidden()
    page.reload()
    button.click()
    expect(options.first).to_have_text("👍🏽")
    options.first.click()
    expect(composer(page)).to_have_value("well👍🏽👍🏽")
    write(page, "done")
    expect(said(page, "done")).to_be_visible()


def test_escape_takes_back_an_edit(visit: Visit, room: Room, owner: User) -> None:
    page = visit(f"/rooms/{room.slug}/", owner)
    write(page, "as it was")
    expect(rows(page)).to_have_count(1)
    composer(page).press("ArrowUp")
    page.get_by_label("Edit your message").press_sequentially(" not")
    page.get_by_label("Edit your message").press("Escape")
    expect(said(page, "as it was")).to_be_visible()
    assert texts() == ["as it was"]
