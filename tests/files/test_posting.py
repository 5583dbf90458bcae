"""Messages that carry files: which they may, in which order, and that they stay one message."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from messaging.actions import ClientIdConflictError, post_message
from messaging.events import read_after
from messaging.history import page_before
from messaging.models import Message
from rooms.models import Room
from tests.cast import nothing_happens
from tests.conftest import client_of, join, leave
from tests.factories import MembershipFactory, RoomFactory
from tests.files import making
from tests.files.making import send, stored
from tests.files.posting import post, post_form, sent


def test_message_carries_its_files_in_their_order(room: Room, owner: User) -> None:
    client = client_of(owner)
    first, second, third = sent(client, room, b"one", b"two", making.png())
    answer = post(client, room, "look", third, first, second)
    assert answer.status_code == 201
    assert [each["id"] for each in answer.json()["attachments"]] == [third, first, second]
    page = client.get(f"/rooms/{room.slug}/messages/", headers={"Accept": "application/json"}).json()
    assert page["messages"][0] == answer.json()
    assert [each["name"] for each in page["messages"][0]["attachments"]] == ["2.txt", "0.txt", "1.txt"]


def test_text_may_be_empty_only_with_files(room: Room, owner: User) -> None:
    client = client_of(owner)
    (key,) = sent(client, room, b"one")
    with nothing_happens():
        for nothing in ({}, {"attachments": ","}, {"other": SimpleUploadedFile("other.txt", b"some bytes")}):
            fields = {"text": " ", "client_id": str(uuid.uuid4()), **nothing}
            answer = client.post(f"/rooms/{room.slug}/messages/", fields, headers={"Accept": "application/json"})
            assert (answer.status_code, answer.json()["errors"]) == (400, {"text": ["Write something first."]})
    assert post(client, room, " ", key).status_code == 201
    message = Message.objects.get()
    assert (message.text, message.html, message.attachment_count) == ("", "", 1)


def test_post_with_files_is_one_message_however_often_it_is_sent(room: Room, owner: User) -> None:
    client, client_id = client_of(owner), str(uuid.uuid4())
    first, second = sent(client, room, b"one", b"two")
    assert post(client, room, "look", first, client_id=client_id).status_code == 201
    with nothing_happens():
        again = post(client, room, "look", first, client_id=client_id)
        assert (again.status_code, [each["id"] for each in again.json()["attachments"]]) == (200, [first])
        assert post(client, room, "look", second, client_id=client_id).status_code == 409
        assert post(client, room, "look", client_id=client_id).status_code == 409


def test_only_own_unposted_files_of_this_room_are_posted(room: Room, owner: User) -> None:
    member = join(room, "member")
    other = RoomFactory.create(actor=owner)
    MembershipFactory.create(room=other, member=member)
    client = client_of(member)
    (mine,), (elsewhere,), (theirs,) = (
        sent(client, room, b"a"),
        sent(client, other, b"b"),
        sent(client_of(owner), room, b"c"),
    )
    (posted,) = sent(client, room, b"d")
    assert post(client, room, "", posted).status_code == 201
    for keys in ([elsewhere], [theirs], [posted], ["0" * 32], [mine, theirs]):
        with nothing_happens():
            response = post(client, room, "look", *keys)
        assert (response.status_code, set(response.json()["errors"])) == (400, {"attachments"})
    for bad in ("../x", "a", f"{mine},{mine}", ",".join(uuid.uuid4().hex for _ in range(11))):
        with nothing_happens():
            assert set(post(client, room, "look", bad).json()["errors"]) == {"attachments"}
    assert post(client, room, "look", mine).status_code == 201


def test_former_member_does_not_post_the_file_they_sent(room: Room, owner: User, uploads: Path) -> None:
    member = join(room, "member")
    client = client_of(member)
    (key,) = sent(client, room, b"a")
    leave(room, member)
    with nothing_happens():
        assert post(client, room, "look", key).status_code == 403
        assert send(client, room.slug, b"another").status_code == 403
    assert len(stored(uploads)) == 1


def test_form_without_javascript_posts_text_and_files(room: Room, owner: User, uploads: Path) -> None:
    client, client_id = client_of(owner), str(uuid.uuid4())
    assert post_form(client, room, "two files", b"one", making.png(), client_id=client_id).status_code == 201
    message = Message.objects.get()
    assert list(message.attachments.values_list("name", "kind")) == [("0.txt", "file"), ("1.txt", "image")]
    kept = stored(uploads)
    with nothing_happens():
        assert post_form(client, room, "two files", b"one", making.png(), client_id=client_id).status_code == 200
        assert post_form(client, room, "two files", b"one", client_id=client_id).status_code == 409
        assert post_form(client, room, "others", b"one", making.png(), client_id=client_id).status_code == 409
    assert stored(uploads) == kept
    page = client.post(f"/rooms/{room.slug}/messages/", {"client_id": str(uuid.uuid4()), "text": "plain"})
    assert page.status_code == 302


def test_form_with_one_bad_file_posts_nothing(room: Room, owner: User, uploads: Path, settings: Any) -> None:
    client = client_of(owner)
    settings.UPLOAD_MAX_BYTES = 50_000
    for files, status in (
        ([b"good", making.png()[:60]], 400),
        ([b"good", b""], 400),
        ([b"good", b"x" * 50_001], 413),
        ([b"good"] * 11, 400),
    ):
        with nothing_happens():
            assert post_form(client, room, "look", *files).status_code == status
        assert stored(uploads) == []


def test_edit_keeps_the_files_and_may_take_the_text_away(room: Room, owner: User) -> None:
    client = client_of(owner)
    message = post(client, room, "look", *sent(client, room, b"one")).json()
    for text in ("see", ""):
        url = f"/rooms/{room.slug}/messages/{message['id']}/edit/"
        answer = client.post(url, {"text": text}, headers={"Accept": "application/json"}).json()
        assert (answer["text"], answer["attachments"]) == (text, message["attachments"])


def test_files_of_any_number_of_messages_are_one_question_more(room: Room, owner: User) -> None:
    client = client_of(owner)
    post(client, room, "text")
    start = Message.objects.latest("position").position
    plain = questions(room, start - 1)
    counts = []
    for _ in range(3):
        post(client, room, "", *sent(client, room, b"one", b"two"))
        counts.append(questions(room, start))
    assert counts == [[number + 1 for number in plain]] * 3
    entries = read_after(room.pk, start, 100)
    assert [len(entry.state["message"]["attachments"]) for entry in entries] == [2, 2, 2]


def questions(room: Room, position: int) -> list[int]:
    """Return how many queries a page of history takes, and how many the log after a position."""
    room.refresh_from_db()
    found = []
    for read in (lambda: page_before(room), lambda: read_after(room.pk, position, 100)):
        with CaptureQueriesContext(connection) as queries:
            read()
        found.append(len(queries))
    return found


def test_action_refuses_another_file_under_the_same_client_id(room: Room, owner: User) -> None:
    client, client_id = client_of(owner), uuid.uuid4()
    first, second = sent(client, room, b"one", b"two")
    post_message(room, author=owner, text="", client_id=client_id, attachments=[first])
    with pytest.raises(ClientIdConflictError):
        post_message(room, author=owner, text="", client_id=client_id, attachments=[second])
