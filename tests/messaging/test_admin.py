from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from accounts.models import User
from messaging import admin
from messaging.actions import delete_message
from messaging.models import Message
from rooms.models import Event, Room
from tests.cast import Ear
from tests.conftest import client_of
from tests.factories import MessageFactory, RoomFactory, UserFactory
from tests.messaging.admin_pages import MESSAGES, assert_deleted, listed, page_of, state
from tests.rooms.admin_pages import staff


@pytest.fixture
def browser(site_owner: User) -> Client:
    return client_of(site_owner)


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_shows_messages_in_few_queries(
    browser: Client, room: Room, count: int, django_assert_num_queries: Any
) -> None:
    texts = [f"message {number}" for number in range(count)]
    for text in texts:
        MessageFactory.create(room=room, text=text)

    with django_assert_num_queries(5):
        assert listed(browser) == texts[::-1]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=RUDE", ["rude words"]),
        ("q=@ann", ["by ann"]),
        ("q=attic", ["in the attic"]),
        ("q=nowhere", []),
        ("deleted=yes", [""]),
        ("deleted=no", ["rude words", "in the attic", "by ann"]),
        ("room=x", ["rude words", "in the attic", "by ann", ""]),
    ],
)
def test_messages_are_searched_and_filtered(
    browser: Client, room: Room, owner: User, query: str, found: list[str]
) -> None:
    delete_message(MessageFactory.create(room=room), actor=owner)
    MessageFactory.create(room=room, text="by ann", author=UserFactory.create(username="ann", name="A"))
    MessageFactory.create(room=RoomFactory.create(name="Attic"), text="in the attic")
    MessageFactory.create(room=room, text="rude words")

    assert listed(browser, query) == found


def test_a_room_lists_its_messages(browser: Client, room: Room, message: Message) -> None:
    MessageFactory.create(text="elsewhere")
    link = f"{MESSAGES}?room={room.pk}"

    assert f'href="{link}"' in browser.get(reverse("admin:rooms_room_changelist")).content.decode()
    assert listed(browser, f"room={room.pk}") == ["rude words"]


def test_a_room_past_those_offered_is_still_named(
    browser: Client, room: Room, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin, "ROOMS_OFFERED", 1)
    RoomFactory.create(name="Attic")

    html = browser.get(f"{MESSAGES}?room={room.pk}").content.decode()

    assert f'<li class="selected">\n    <a href="?room={room.pk}">Kitchen</a></li>' in html


def test_words_are_looked_for_in_the_newest_messages_only(
    browser: Client, room: Room, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        MessageFactory.create(room=room, author=owner, text=f"soup {number}")
    assert len(listed(browser, "q=soup")) == 3

    monkeypatch.setattr(admin, "SEARCHED_FOR_WORDS", 2)

    assert listed(browser, "q=soup") == ["soup 2", "soup 1"]
    assert len(listed(browser, "q=kitchen")) == len(listed(browser, "q=olga+own")) == 3


def test_the_list_ends_where_counting_would_be_slow(
    browser: Client, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    MessageFactory.create_batch(3, room=room)
    monkeypatch.setattr(admin, "LISTED", 2)

    assert browser.get(MESSAGES).context["cl"].result_count == 2


def test_text_is_shown_as_text(browser: Client, room: Room) -> None:
    hostile = MessageFactory.create(room=room, text="<img src=x onerror=alert(1)>")
    Room.objects.filter(pk=room.pk).update(name="<img src=x>")

    for path in (MESSAGES, page_of(hostile), page_of(hostile, "delete"), page_of(hostile, "history")):
        html = browser.get(path).content.decode()
        assert "<img src=x" not in html, path
    assert "&lt;img src=x onerror" in browser.get(page_of(hostile)).content.decode()


def test_a_message_is_deleted_from_its_page(browser: Client, site_owner: User, message: Message) -> None:
    confirmation = page_of(message, "delete")
    assert confirmation in browser.get(page_of(message)).content.decode()
    before = state()
    assert "rude words" in browser.get(confirmation).content.decode()
    assert state() == before

    browser.post(confirmation, {"post": "yes"})

    assert_deleted(message, site_owner)
    assert "Message" in browser.get(page_of(message, "history")).content.decode()
    assert confirmation not in browser.get(page_of(message)).content.decode()
    assert browser.post(confirmation, {"post": "yes"}).status_code == 403


def test_selected_messages_are_deleted_after_a_question(browser: Client, site_owner: User, message: Message) -> None:
    other, earlier, kept = MessageFactory.create_batch(3, room=message.room)
    delete_message(earlier, actor=UserFactory.create())
    chosen = {"action": "delete_selected", "_selected_action": [message.pk, other.pk, earlier.pk]}
    before = state()

    assert "rude words" in browser.post(MESSAGES, chosen).content.decode()
    assert state() == before
    browser.post(MESSAGES, chosen | {"post": "yes"})

    for gone in (message, other):
        assert_deleted(gone, site_owner)
    assert earlier.events.filter(kind=Event.Kind.MESSAGE_DELETED).count() == 1
    assert LogEntry.objects.count() == 2
    assert not Message.objects.get(pk=kept.pk).is_deleted


@pytest.mark.django_db(transaction=True)
def test_open_pages_hear_of_it(browser: Client, message: Message) -> None:
    with Ear(message.room.channel_name) as ear:
        browser.post(page_of(message, "delete"), {"post": "yes"})

        assert ear.heard() == [str(message.position + 1)]


def test_a_message_in_an_archived_room_is_deleted_too(browser: Client, site_owner: User, message: Message) -> None:
    browser.post(reverse("admin:rooms_room_changelist"), {"action": "archive", "_selected_action": [message.room_id]})

    browser.post(page_of(message, "delete"), {"post": "yes"})

    assert_deleted(message, site_owner)


# What is closed


def test_nobody_adds_or_edits_messages(browser: Client, room: Room, message: Message) -> None:
    data = {"room": room.pk, "text": "put in their mouth", "author": 1, "position": 99}
    before = state()

    assert browser.get(reverse("admin:messaging_message_add")).status_code == 403
    assert browser.post(reverse("admin:messaging_message_add"), data).status_code == 403
    assert browser.post(page_of(message), data).status_code == 403
    browser.post(
        MESSAGES, {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-id": message.pk, "_save": 1, **data}
    )

    assert state() == before
    assert "<textarea" not in browser.get(page_of(message)).content.decode()


def test_a_signed_out_person_is_sent_to_sign_in(message: Message) -> None:
    for path in (MESSAGES, page_of(message), page_of(message, "delete")):
        response = Client().get(path, follow=True)
        assert response.redirect_chain[-1][0].startswith(reverse("account_login"))
        assert "rude words" not in response.content.decode()


def test_the_author_without_staff_rights_is_no_admin(message: Message, owner: User) -> None:
    browser = client_of(owner)

    for path in (MESSAGES, page_of(message), page_of(message, "delete")):
        assert browser.get(path, follow=True).status_code == 403
    assert browser.post(page_of(message, "delete"), {"post": "yes"}, follow=True).status_code == 403
    assert not Message.objects.get(pk=message.pk).is_deleted


@pytest.mark.parametrize("permissions", [(), ("change_room", "view_room", "view_user", "add_message")])
def test_staff_without_the_permission_see_no_message(message: Message, permissions: tuple[str, ...]) -> None:
    browser = client_of(staff(*permissions))
    before = state()

    for path in (MESSAGES, page_of(message), page_of(message, "delete"), page_of(message, "history")):
        assert browser.get(path).status_code == 403
        assert browser.post(path, {"post": "yes"}).status_code == 403

    assert state() == before


@pytest.mark.parametrize("permission", ["view_message", "change_message"])
def test_staff_who_may_read_delete_nothing(message: Message, permission: str) -> None:
    browser = client_of(staff(permission))
    before = state()

    assert listed(browser) == ["rude words"]
    assert browser.post(page_of(message), {"text": "other words"}).status_code == 403
    assert browser.post(page_of(message, "delete"), {"post": "yes"}).status_code == 403
    browser.post(MESSAGES, {"action": "delete_selected", "_selected_action": [message.pk], "post": "yes"})

    assert state() == before


def test_staff_with_the_permission_delete(message: Message) -> None:
    keeper = staff("view_message", "delete_message")

    client_of(keeper).post(page_of(message, "delete"), {"post": "yes"})

    assert_deleted(message, keeper)


@pytest.mark.parametrize(
    "query",
    ["room=%00", "room=99999999999999999999", "deleted=%00", "q=%00", "p=x", "p=-1", "o=9", "_facets=1", "all="],
)
def test_odd_questions_are_no_error(browser: Client, message: Message, query: str) -> None:
    assert browser.get(f"{MESSAGES}?{query}").status_code in (200, 302, 400)


@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete", "options"])
def test_only_a_post_deletes(browser: Client, message: Message, method: str) -> None:
    before = state()

    for path in (MESSAGES, page_of(message), page_of(message, "delete")):
        getattr(browser, method)(f"{path}?post=yes&action=delete_selected&_selected_action={message.pk}")

    assert state() == before
