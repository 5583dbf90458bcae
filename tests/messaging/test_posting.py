from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from messaging.models import Message
from rooms.models import Room
from tests.answers import JSON, errors
from tests.cast import make_scene, nothing_happens
from tests.conftest import client_of, join
from tests.factories import MessageFactory, RoomFactory
from tests.messaging.posting import post


def test_post_answers_with_the_message(browser: Client, room: Room, owner: User) -> None:
    client_id = str(uuid.uuid4())
    response = post(browser, room, "**hi**", client_id=client_id)
    message = Message.objects.get()
    data = response.json()
    assert response.status_code == 201
    assert response["Cache-Control"] == "no-store, private"
    assert data.pop("created_at").endswith("Z")
    assert data == {
        "id": message.pk,
        "position": 2,
        "client_id": client_id,
        "author": {
            "id": owner.pk,
            "username": "owner",
            "name": "Olga Owner",
            "initials": "OO",
            "hue": owner.hue,
            "avatar": None,
        },
        "text": "**hi**",
        "html": "<p><strong>hi</strong></p>",
        "edited_at": None,
        "deleted_at": None,
        "pinned_at": None,
        "reply_to": None,
        "reactions": [],
        "attachments": [],
    }


def test_post_of_a_form_leads_back_to_the_message(browser: Client, room: Room) -> None:
    response = post(browser, room, headers={"Accept": "text/html"})
    assert (response.status_code, response["Location"]) == (302, f"/rooms/{room.slug}/#message-2")
    assert 'id="message-2"' in browser.get(response["Location"]).content.decode()


def test_post_again_is_the_same_message(browser: Client, room: Room) -> None:
    client_id = str(uuid.uuid4())
    first = post(browser, room, "hello", client_id=client_id)
    with nothing_happens():
        again = post(browser, room, "hello", client_id=client_id.upper())
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()


@pytest.mark.parametrize("headers", [JSON, {"Accept": "text/html"}], ids=["json", "html"])
def test_post_of_another_text_under_one_id_is_a_conflict(browser: Client, room: Room, headers: dict[str, str]) -> None:
    client_id = str(uuid.uuid4())
    post(browser, room, "first", client_id=client_id)
    with nothing_happens():
        response = post(browser, room, "second <b>", headers=headers, client_id=client_id)
    assert response.status_code == 409
    if headers is JSON:
        assert set(errors(response, 409)) == {"client_id"}
    else:
        # What was typed is not lost.
        assert b"second &lt;b&gt;</textarea>" in response.content


def test_post_into_another_room_under_one_id_is_a_conflict(browser: Client, room: Room, owner: User) -> None:
    other, client_id = RoomFactory.create(actor=owner), str(uuid.uuid4())
    post(browser, room, client_id=client_id)
    with nothing_happens():
        assert set(errors(post(browser, other, client_id=client_id), 409)) == {"client_id"}


def test_post_is_kept_composed_and_trimmed_with_unix_line_ends(browser: Client, room: Room) -> None:
    assert post(browser, room, "  e\u0301\r\n\tb\rc \n").json()["text"] == "é\n\tb\nc"


def test_reply_stays_in_its_room(browser: Client, room: Room, owner: User) -> None:
    here = MessageFactory.create(room=room, author=owner, text="here")
    elsewhere = MessageFactory.create(author=owner)
    good = post(browser, room, "yes", reply_to=str(here.pk)).json()["reply_to"]
    assert (good["id"], good["excerpt"]) == (here.pk, "here")
    with nothing_happens():
        assert set(errors(post(browser, room, reply_to=str(elsewhere.pk)))) == {"reply_to"}


@pytest.mark.parametrize("rows", [1, 3])
def test_posting_costs_the_same_for_any_number_of_members(
    room: Room, owner: User, rows: int, django_assert_num_queries: Any
) -> None:
    for number in range(rows):
        join(room, f"person{number}")
    client = client_of(owner)
    # Session, person, membership; savepoint, lock, membership, client id, position, message, event, release.
    with django_assert_num_queries(7):
        assert post(client, room).status_code == 201


def test_refused_post_takes_no_lock(room: Room, owner: User) -> None:
    client = client_of(owner)
    with CaptureQueriesContext(connection) as queries:
        assert post(client, room, " ").status_code == 400
    assert [query["sql"] for query in queries if "FOR UPDATE" in query["sql"]] == []


@pytest.mark.django_db(transaction=True)
def test_post_that_waits_too_long_for_the_lock_says_come_back() -> None:
    scene = make_scene("public")
    client = scene.client("member")
    other = connection.copy()
    try:
        with transaction.atomic(using=None), other.cursor() as cursor:
            other.set_autocommit(False)
            cursor.execute("SELECT 1 FROM rooms_room WHERE id = %s FOR UPDATE", [scene.room.pk])
            client.raise_request_exception = False
            response = post(client, scene.room)
    finally:
        other.rollback()
        other.close()
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert list(response.json()["errors"]) == ["__all__"]
    assert post(client, scene.room).status_code == 201
