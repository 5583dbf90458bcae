from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from messaging.models import Message
from rooms.models import Room
from tests.conftest import client_of
from tests.factories import MessageFactory
from tests.messaging.admin_pages import MESSAGES, assert_deleted, listed, page_of, state

CANARY = "canarytext"


@pytest.fixture
def browser(site_owner: User) -> Client:
    return client_of(site_owner)


@pytest.fixture
def secret(private_room: Room, owner: User) -> Message:
    return MessageFactory.create(room=private_room, author=owner, text=CANARY)


def test_the_text_of_a_private_room_is_on_no_page(browser: Client, message: Message, secret: Message) -> None:
    room, author = secret.room, secret.author
    assert author
    change = reverse("admin:rooms_room_change", args=[room.pk])
    browser.post(change, {"name": "Vault 2", "topic": "", "memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0})
    paths = [reverse(f"admin:{name}") for name in ("index", "rooms_room_changelist", "rooms_membership_changelist")]
    paths += [change, reverse("admin:rooms_room_history", args=[room.pk]), MESSAGES]
    paths += [reverse("admin:app_list", args=[app]) for app in ("rooms", "messaging", "accounts", "invites")]
    paths += [
        f"{MESSAGES}?{query}" for query in (f"room={room.pk}", f"room__id__exact={room.pk}", "room__kind=private")
    ]
    paths += [f"{MESSAGES}?{query}" for query in ("deleted=no", "q=owner", "q=vault", f"id={secret.pk}", "o=1&all=")]
    paths += [page_of(secret, step) for step in ("change", "delete", "history")]
    paths += [
        reverse("admin:accounts_user_change", args=[author.pk]),
        reverse("admin:view_on_site", args=[1, secret.pk]),
    ]

    pages = {path: browser.get(path, follow=True).content.decode() for path in paths}

    assert [path for path, html in pages.items() if CANARY in html] == []
    assert "rude words" in pages[MESSAGES]
    assert f"messaging/message/{secret.pk}/" not in "".join(html for html in pages.values())
    assert CANARY in client_of(author).get(reverse("messaging:room", args=[room.slug])).content.decode()


def test_a_search_does_not_tell_what_was_said_in_a_private_room(
    browser: Client, message: Message, secret: Message
) -> None:
    assert listed(browser, "q=rude") == ["rude words"]
    assert listed(browser, f"q={CANARY}") == []
    assert listed(browser, f"text__startswith={CANARY}") == []

    for path, parameter in (
        (MESSAGES, "reply_to__text__startswith"),
        (MESSAGES, "room__messages__text__startswith"),
        (reverse("admin:rooms_room_changelist"), "messages__text__startswith"),
        (reverse("admin:rooms_membership_changelist"), "room__messages__text__startswith"),
        (reverse("admin:accounts_user_changelist"), "messages__text__startswith"),
    ):
        assert browser.get(path, {parameter: CANARY}).status_code == 400, path


def test_a_message_of_a_private_room_is_not_deleted(
    browser: Client, site_owner: User, message: Message, secret: Message
) -> None:
    before = state()

    browser.post(page_of(secret, "delete"), {"post": "yes"})
    forged = {"action": "delete_selected", "post": "yes", "_selected_action": [secret.pk]}
    browser.post(MESSAGES, forged)

    assert state() == before
    browser.post(MESSAGES, forged | {"_selected_action": [message.pk, secret.pk], "select_across": 1})
    assert_deleted(message, site_owner)
    assert not Message.objects.get(pk=secret.pk).is_deleted
