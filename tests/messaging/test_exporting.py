"""Taking one's data along: what is known, and the files."""

from __future__ import annotations

import http.client
import io
import json
import os
import tracemalloc
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from accounts.ignoring import ignore
from accounts.models import User
from messaging import exporting
from messaging.actions import delete_message, edit_message
from messaging.moderation import report_message
from messaging.reactions import add_reaction
from project.files import archive, store
from project.files.serving import PIECE_BYTES
from project.realtime.handoff import REQUEST_SECONDS
from rooms import actions
from rooms.models import Room
from tests.conftest import client_of, join, leave
from tests.files.test_serving import carried, send_as, token_of
from tests.messaging.test_leaving import EXPORT, confirmed, say
from tests.server import ServerProcess
from tests.streams import cookie_header


@pytest.fixture(autouse=True)
def uploads(settings: Any, tmp_path: Path) -> None:
    settings.UPLOADS_DIR = tmp_path / "uploads"


@pytest.fixture
def nora(room: Room) -> User:
    return join(room, "nora")


def opened(data: bytes) -> tuple[Any, dict[str, bytes]]:
    """Return what an archive says, and the files in it."""
    with zipfile.ZipFile(io.BytesIO(data)) as found:
        assert found.testzip() is None
        files = {name: found.read(name) for name in found.namelist()}
    return json.loads(files.pop("earshot.json")), files


def test_export_has_what_the_person_gave_and_nothing_of_others(room: Room, owner: User, nora: User) -> None:
    mine, theirs = say(room, nora, "My own words"), say(room, owner, "Words of another")
    gone = say(room, nora, "Words taken back")
    delete_message(gone, actor=nora)
    add_reaction(theirs, emoji="🎉", actor=nora)
    file, same, other = (carried(room, who, data, "notes.txt") for who, data in (
        (nora, b"Nora's bytes"), (nora, b"More of Nora's"), (owner, b"Canary Bytes")))  # fmt: skip
    response = confirmed(nora).post(EXPORT)
    assert response["Content-Disposition"] == 'attachment; filename="earshot-nora.zip"'
    assert (response["Content-Type"], response["Cache-Control"]) == ("application/zip", "no-store, private")
    found, files = opened(response.content)
    assert (found["profile"]["username"], found["profile"]["email"]) == ("nora", "nora@example.org")
    assert [(each["text"], each["room_name"]) for each in found["messages"] if each["text"]] == [
        ("My own words", "Kitchen")
    ]
    assert found["messages"][0]["id"] == mine.pk
    assert [each["room_address"] for each in found["memberships"]] == [room.slug]
    assert found["reactions"] == [{"emoji": "🎉", "message_id": theirs.pk}]
    assert files == {f"files/{file.key}/notes.txt": b"Nora's bytes", f"files/{same.key}/notes.txt": b"More of Nora's"}
    assert [each["path"] for each in found["files"]] == list(files)
    text = json.dumps(found, ensure_ascii=False)
    secrets = ("Words of another", "Words taken back", "owner@example.org", nora.password, other.key)
    assert [word for word in secrets if word in text] == []


def test_export_has_what_was_said_before_an_edit_what_was_reported_and_who_is_ignored(
    room: Room, owner: User, nora: User
) -> None:
    mine, theirs, gone = say(room, nora, "My first words"), say(room, owner, "Theirs"), say(room, nora, "Taken back")
    edit_message(mine, text="My second words", actor=nora)
    edit_message(theirs, text="Changed by another", actor=owner)
    edit_message(gone, text="Soon gone", actor=nora)
    delete_message(gone, actor=nora)
    report_message(theirs, reason="Rude of them", reporter=nora)
    report_message(mine, reason="Rude of Nora", reporter=owner)
    ignore(nora, username="owner")
    found, _files = opened(confirmed(nora).post(EXPORT).content)
    assert [(each["message_id"], each["text"]) for each in found["revisions"]] == [(mine.pk, "My first words")]
    assert [(each["message_id"], each["reason"]) for each in found["reports"]] == [(theirs.pk, "Rude of them")]
    assert found["ignores"] == [{"username": "owner"}]
    assert "Rude of Nora" not in json.dumps(found)


def test_export_tells_no_new_name_of_a_room_that_the_person_knows_of_no_more(
    private_room: Room, owner: User, nora: User
) -> None:
    actions.add_member(private_room, member=nora, actor=owner)
    say(private_room, nora, "Mine")

    def names() -> list[tuple[str, str]]:
        found, _files = opened(confirmed(nora).post(EXPORT).content)
        return [(each["text"], each["room_name"]) for each in found["messages"]]

    assert names() == [("Mine", "Vault")]
    leave(private_room, nora)
    actions.update_room(private_room, name="Canary Name", topic="", actor=owner)
    assert names() == [("Mine", "")]


def test_file_that_went_meanwhile_is_left_out_and_a_picture_is_in(room: Room, nora: User) -> None:
    gone, kept = carried(room, nora, b"gone"), carried(room, nora, b"kept")
    store.remove(gone.key)
    nora.avatar_key = store.new_key()
    store.path_of(nora.avatar_key).parent.mkdir(parents=True)
    store.path_of(nora.avatar_key).write_bytes(b"a picture")
    nora.save()
    _found, files = opened(confirmed(nora).post(EXPORT).content)
    assert files == {"picture.webp": b"a picture", f"files/{kept.key}/canary.txt": b"kept"}


def test_archive_is_made_a_piece_at_a_time(uploads: None) -> None:
    """Forty megabytes of files, and of them at no time more than a few pieces in memory."""
    keys = [store.new_key() for _ in range(10)]
    for key in keys:
        store.path_of(key).parent.mkdir(parents=True, exist_ok=True)
        store.path_of(key).write_bytes(os.urandom(16 * PIECE_BYTES))
    pieces = archive._pieces(io.BytesIO(b"{}"), "earshot.json", [archive.Stored(key, key) for key in keys])
    tracemalloc.start()
    try:
        total = sum(len(piece) for piece in pieces)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert total > 160 * PIECE_BYTES
    assert peak < 8 * PIECE_BYTES


def test_messages_are_written_row_by_row(room: Room, nora: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "_AT_ONCE", 2)
    for number in range(5):
        say(room, nora, f"Number {number}")
    found, _files = opened(confirmed(nora).post(EXPORT).content)
    assert [each["text"] for each in found["messages"]] == [f"Number {number}" for number in range(5)]


def test_server_sends_an_export_whole_and_to_nobody_else(
    server: ServerProcess, room: Room, owner: User, nora: User
) -> None:
    data = bytes(range(256)) * 4 * 1024 * 5  # 5 MB
    browser = confirmed(nora)
    headers = token_of(server, browser)
    status, answer = send_as(server, headers, room, data)
    assert status == 201
    response, body = exported(server, headers)
    assert (response.status, response.headers["Cache-Control"]) == (200, "no-store, private")
    assert opened(body)[1] == {f"files/{answer['id']}/a.bin": data}
    response, body = exported(server, token_of(server, confirmed(owner)))
    assert (response.status, opened(body)[1]) == (200, {})
    response, _body = exported(server, token_of(server, client_of(nora)))
    assert response.status in (302, 401)  # to type the password once more


def exported(server: ServerProcess, headers: dict[str, str]) -> tuple[http.client.HTTPResponse, bytes]:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as wire:
        wire.request("POST", EXPORT, b"", headers)
        response = wire.getresponse()
        return response, response.read()


def test_export_that_takes_longer_than_a_request_may_comes_whole(
    server: ServerProcess, room: Room, owner: User, nora: User
) -> None:
    """And others are served meanwhile."""
    say(room, nora, "My own words")
    ignore(nora, username="owner")
    headers = token_of(server, confirmed(nora))
    others = {"Cookie": cookie_header(client_of(owner))}
    with slowly_read("accounts_ignored", seconds=REQUEST_SECONDS + 1), ThreadPoolExecutor(1) as thread:
        coming = thread.submit(exported, server, headers)
        served = 0
        while not coming.done():
            with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)) as wire:
                wire.request("GET", "/rooms/", headers=others)
                assert wire.getresponse().status == 200
            served += 1
    response, body = coming.result()
    assert (response.status, served > 10) == (200, True)
    found, _files = opened(body)
    assert [each["text"] for each in found["messages"]] == ["My own words"]
    assert found["ignores"] == [{"username": "owner"}]


@contextmanager
def slowly_read(table: str, *, seconds: float) -> Iterator[None]:
    """Inside the block each row of a table takes so long to read."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE POLICY slow ON {table} FOR SELECT USING (pg_sleep({seconds})::text = '')")
        cursor.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        try:
            yield
        finally:
            cursor.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY")
            cursor.execute(f"DROP POLICY slow ON {table}")
