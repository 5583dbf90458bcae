from __future__ import annotations

import re

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from messaging.editing_views import REVISIONS_SHOWN
from messaging.models import Message, MessageRevision
from rooms.models import Room
from tests.answers import JSON, errors
from tests.bad_input import BAD_IDS
from tests.cast import nothing_happens
from tests.conftest import client_of, join
from tests.factories import MessageFactory


def test_author_edits_and_deletes(browser: Client, room: Room, owner: User) -> None:
    message = MessageFactory.create(room=room, author=owner, text="befor")
    path = f"/rooms/{room.slug}/messages/{message.pk}"
    form = browser.get(f"{path}/edit/")
    assert (form.status_code, b"befor</textarea>" in form.content) == (200, True)
    edited = browser.post(f"{path}/edit/", {"text": "before"}, headers=JSON)
    assert (edited.status_code, edited.json()["text"], edited.json()["html"]) == (200, "before", "<p>before</p>")
    assert edited.json()["edited_at"].endswith("Z")
    by_form = browser.post(f"{path}/edit/", {"text": "before noon"})
    assert (by_form.status_code, by_form["Location"]) == (302, f"/rooms/{room.slug}/#message-2")
    deleted = browser.post(f"{path}/delete/", headers=JSON).json()
    assert (deleted["text"], deleted["html"], deleted["position"]) == ("", "", 2)
    assert deleted["deleted_at"].endswith("Z")
    with nothing_happens():
        assert browser.post(f"{path}/delete/", headers=JSON).json() == deleted
        assert set(errors(browser.post(f"{path}/edit/", {"text": "again"}, headers=JSON))) == {"__all__"}
        assert browser.post(f"{path}/edit/", {"text": "again"}).status_code == 400


@pytest.mark.parametrize("sent", [{}, {"text": " "}, {"text": "a\x00"}, {"text": "a" * 8_001}])
def test_edit_to_what_could_not_be_posted_is_refused(
    browser: Client, room: Room, owner: User, sent: dict[str, str]
) -> None:
    path = f"/rooms/{room.slug}/messages/{MessageFactory.create(room=room, author=owner).pk}/edit/"
    with nothing_happens():
        assert set(errors(browser.post(path, sent, headers=JSON))) == {"text"}
        assert browser.post(path, sent).status_code == 400


def test_moderator_deletes_for_others_but_never_edits(room: Room, owner: User) -> None:
    member = join(room, "member")
    moderator = client_of(join(room, "moderator", "moderator"))
    path = f"/rooms/{room.slug}/messages/{MessageFactory.create(room=room, author=member).pk}"
    with nothing_happens():
        assert moderator.post(f"{path}/edit/", {"text": "x"}).status_code == 403
    assert moderator.post(f"{path}/delete/").status_code == 302
    assert Message.objects.get().is_deleted


def test_revisions_are_shown_in_a_bounded_number(browser: Client, room: Room, owner: User) -> None:
    message = MessageFactory.create(room=room, author=owner)
    path = f"/rooms/{room.slug}/messages/{message.pk}/revisions/"
    for count in (REVISIONS_SHOWN, REVISIONS_SHOWN + 1):
        message.revisions.all().delete()
        MessageRevision.objects.bulk_create(
            MessageRevision(message=message, text=f"no. {number}", html=f"no. {number}", written_at=timezone.now())
            for number in range(count)
        )
        answer, page = browser.get(path, headers=JSON).json(), browser.get(path).content.decode()
        shown = [f"no. {number}" for number in range(count)][-REVISIONS_SHOWN:]
        assert [each["text"] for each in answer["revisions"]] == shown
        assert re.findall(r"no\. [0-9]+", page) == shown
        assert answer["has_more"] is ("There were more edits before these." in page) is (count > REVISIONS_SHOWN)


@pytest.mark.parametrize("action", ["edit", "delete"])
def test_message_that_cannot_be_is_not_found(browser: Client, room: Room, action: str) -> None:
    with nothing_happens():
        answers = {
            number: browser.post(f"/rooms/{room.slug}/messages/{number}/{action}/", {"text": "x"}).status_code
            for number in BAD_IDS
        }
    assert answers == dict.fromkeys(BAD_IDS, 404)
