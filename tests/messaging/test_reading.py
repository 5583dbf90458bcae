from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from accounts.actions import change_name
from accounts.models import User
from messaging.actions import delete_message, edit_message
from messaging.models import Message
from messaging.pinning import pin_message, unpin_message
from messaging.reactions import add_reaction, remove_reaction
from rooms import actions
from rooms.models import Epoch, Room
from tests.answers import JSON
from tests.conftest import client_of, join
from tests.factories import MessageFactory, RoomFactory, UserFactory


def test_history_pages_both_ways(browser: Client, room: Room, owner: User) -> None:
    MessageFactory.create_batch(5, room=room, author=owner)

    def page(query: str) -> tuple[list[int], bool]:
        data = browser.get(f"/rooms/{room.slug}/messages/?{query}", headers=JSON).json()
        return [message["position"] for message in data["messages"]], data["has_more"]

    assert page("") == ([2, 3, 4, 5, 6], False)
    assert page("limit=2") == ([5, 6], True)
    assert page("before=5&limit=2") == ([3, 4], True)
    assert page("after=2&limit=2") == ([3, 4], True)
    assert page("after=4&limit=2") == ([5, 6], False)
    assert page("after=&before=&limit=") == ([2, 3, 4, 5, 6], False)
    assert page(f"before={2**63 - 1}&limit={settings.HISTORY_PAGE_MAX}") == ([2, 3, 4, 5, 6], False)


def test_history_as_html_is_rows_and_nothing_else(browser: Client, room: Room, owner: User) -> None:
    MessageFactory.create_batch(2, room=room, author=owner, text="<b>")
    response = browser.get(f"/rooms/{room.slug}/messages/?limit=1")
    assert (response.status_code, response["X-Has-More"]) == (200, "true")
    assert response.content.count(b"<li ") == 1
    assert b"<html" not in response.content
    assert b"&lt;b&gt;" in response.content
    last = browser.get(f"/rooms/{room.slug}/messages/?before=3")
    assert last["X-Has-More"] == "false"


def test_room_page_is_complete_without_scripts(browser: Client, room: Room, owner: User) -> None:
    MessageFactory.create_batch(settings.HISTORY_PAGE + 1, room=room, author=owner)
    page = browser.get(f"/rooms/{room.slug}/").content.decode()
    last = settings.HISTORY_PAGE + 2
    assert re.findall(r'<li class="message" id="message-(\d+)"', page) == [str(n) for n in range(3, last + 1)]
    assert f'data-position="{last}"' in page
    assert f'data-epoch="{Epoch.current()}"' in page
    assert '<a class="button button--quiet button--small" href="?before=3">' in page
    older = browser.get(f"/rooms/{room.slug}/?before=3").content.decode()
    assert re.findall(r'<li class="message" id="message-(\d+)"', older) == ["2"]
    assert "<message-composer" in page
    assert "<message-composer" in older
    assert f'href="?before={last + 1}">Go to the newest' in older
    assert "Go to the newest<" not in page


def test_room_page_offers_a_stranger_to_join_and_an_archived_one_nothing(room: Room, owner: User) -> None:
    stranger = client_of(UserFactory.create())
    join_path = f'action="/rooms/{room.slug}/join/"'
    page = stranger.get(f"/rooms/{room.slug}/").content.decode()
    assert (join_path in page, "<message-composer" in page, "data-member " in page) == (True, False, False)
    actions.archive_room(room, actor=owner)
    for client in (stranger, client_of(owner)):
        page = client.get(f"/rooms/{room.slug}/").content.decode()
        assert (join_path in page, "<message-composer" in page) == (False, False)


def test_deleted_text_is_on_no_page(browser: Client, room: Room, owner: User) -> None:
    secret = MessageFactory.create(room=room, author=owner, text="Canary Text")
    MessageFactory.create(room=room, author=owner, text="answer", reply_to=secret)
    paths = [f"/rooms/{room.slug}/", f"/rooms/{room.slug}/messages/"]
    accepts = [JSON, {"Accept": "text/html"}]
    assert all(b"Canary Text" in browser.get(path, headers=accept).content for path in paths for accept in accepts)
    browser.post(f"/rooms/{room.slug}/messages/{secret.pk}/delete/")
    assert not any(b"Canary" in browser.get(path, headers=accept).content for path in paths for accept in accepts)


# Literal numbers: a query more for each row would show.
QUERIES = {("", "html"): 12, ("messages/", "html"): 5, ("messages/", "json"): 4, ("stream/", "html"): 3}


@pytest.mark.parametrize(("path", "format"), QUERIES)
@pytest.mark.parametrize("rows", [1, 3])
def test_reading_costs_the_same_for_any_number_of_rows(
    room: Room, owner: User, rows: int, path: str, format: str, django_assert_num_queries: Any
) -> None:
    Epoch.current()
    for number in range(rows):
        person = join(room, f"person{number}")
        first = MessageFactory.create(room=room, author=person)
        MessageFactory.create(room=room, author=person, reply_to=first)
        add_reaction(first, emoji="🎉", actor=owner)
        RoomFactory.create(actor=owner)
    client = client_of(owner)
    headers = {"html": {"Accept": "text/html"}, "json": JSON}[format]
    with django_assert_num_queries(QUERIES[path, format]):
        assert client.get(f"/rooms/{room.slug}/{path}", headers=headers).status_code == 200


def test_row_that_was_drawn_before_shows_what_has_become_of_it(room: Room, owner: User) -> None:
    """Rows are kept once they are drawn: each change has to be in the next page, and taking it back, too."""
    author = join(room, "author")
    message = MessageFactory.create(room=room, author=author, text="hello")
    quoted = MessageFactory.create(room=room, author=author, text="above")
    shown = Message.objects.filter(pk=message.pk)
    reader = client_of(join(room, "reader"))

    def row(language: str = "en") -> str:
        page = reader.get(f"/rooms/{room.slug}/", headers={"Accept-Language": language}).content.decode()
        found = re.search(rf'<li class="message[^>]*id="message-{message.position}".*?</li>', page, re.DOTALL)
        assert found
        return found[0]

    plain = row()
    changes: list[tuple[Callable[[], object], str]] = [
        (lambda: change_name(author, name="Another Name"), "Another Name"),
        (lambda: pin_message(message, actor=owner), "Pinned"),
        (lambda: unpin_message(message, actor=owner), "Another Name"),
        (lambda: add_reaction(message, emoji="🎉", actor=owner), "🎉"),
        (lambda: remove_reaction(message, emoji="🎉", actor=owner), "Another Name"),
        (lambda: edit_message(message, text="hello again", actor=author), "(edited)"),
        (lambda: shown.update(reply_to=quoted), "above"),
        (lambda: shown.update(author=None), "Former member"),
        (lambda: delete_message(message, actor=owner), "This message was deleted."),
    ]
    rows = [plain]
    for change, sign in changes:
        change()
        message.refresh_from_db()
        rows.append(row())
        assert sign in rows[-1]
        assert rows[-1] != rows[-2]
    assert rows[3] == rows[5] == rows[1]
    assert "gelöscht" in row("de")
    assert "gelöscht" not in row()
