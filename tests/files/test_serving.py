"""Files on their way out: to whoever can read the message that carries them, and to nobody else, byte by byte."""

from __future__ import annotations

import http.client
import json
import re
import uuid
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from messaging.actions import delete_message, post_message
from messaging.models import Attachment, Message
from messaging.sweeping import sweep
from rooms.models import Room
from tests.cast import CAST, Scene, make_scene, nothing_happens
from tests.conftest import client_of, join
from tests.files import making
from tests.files.making import send, stored
from tests.server import ServerProcess
from tests.streams import cookie_header

CANARY = b"Canary Bytes"
ASKED: dict[str, Callable[[Client, str], Any]] = {
    "GET": lambda client, url: client.get(url),
    "HEAD": lambda client, url: client.head(url),
    "range": lambda client, url: client.get(url, headers={"Range": "bytes=0-5"}),
    "JSON": lambda client, url: client.get(url, headers={"Accept": "application/json"}),
}


def carried(room: Room, author: User, data: bytes = CANARY, name: str = "canary.txt") -> Attachment:
    """Return a file that is in a message."""
    key = send(client_of(author), room.slug, data, name).json()["id"]
    post_message(room, author=author, text="", client_id=uuid.uuid4(), attachments=[key])
    return Attachment.objects.get(key=key)


def scene_with_files(kind: str) -> tuple[Scene, list[str]]:
    scene = make_scene("public" if kind == "archived" else kind)
    author = scene.message.author
    assert author
    files = [carried(scene.room, author), carried(scene.room, author, making.png(900, 900), "canary.png")]
    urls = [files[0].url, files[1].url, files[1].thumbnail_url]
    return scene, urls


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
@pytest.mark.parametrize("kind", ["public", "private"])
def test_every_byte_has_its_readers(db: None, kind: str, asked: Callable[[Client, str], Any]) -> None:
    scene, urls = scene_with_files(kind)
    readers = {"owner", "moderator", "member"} | ({"outsider", "former_member"} if kind == "public" else set())
    for role in CAST:
        client = scene.client(role)
        for url in urls:
            response = asked(client, url)
            if role in readers:
                assert response.status_code in {200, 206}
            elif role == "anonymous":
                assert response.status_code in {302, 401}
            else:
                assert response.status_code == 404
            assert (CANARY[:6] in response.content) == (
                role in readers and url == urls[0] and asked is not ASKED["HEAD"]
            )


def test_stranger_can_not_tell_a_file_from_one_that_never_was(db: None) -> None:
    scene, urls = scene_with_files("private")
    for role in ("outsider", "former_member", "anonymous"):
        client = scene.client(role)
        client.get("/rooms/")
        for url in urls:
            never = re.sub("[0-9a-f]{32}", uuid.uuid4().hex, url)
            assert told(client, url) == told(client, never)


def told(client: Client, url: str) -> tuple[int, list[tuple[str, str]], bytes, int]:
    with CaptureQueriesContext(connection) as queries:
        response = client.get(url)
    body = re.sub(rb'(csrfmiddlewaretoken" value|csrf-token" content)="\w{64}"', rb"\1", response.content)
    headers = [(name, re.sub("[0-9a-f]{32}", "", value)) for name, value in sorted(response.headers.items())]
    return response.status_code, headers, body, len(queries)


@pytest.mark.parametrize("key", ["0" * 31, "g" * 32, "0" * 32, "A" * 32, "%00", "..%2f..", "x" * 5_000, "1' OR 1=1"])
def test_guesses_find_nothing(room: Room, owner: User, key: str) -> None:
    carried(room, owner)
    for end in ("", "thumbnail/"):
        assert client_of(owner).get(f"/files/{key}/{end}").status_code == 404


def test_deleted_message_takes_its_files_away_at_once(room: Room, owner: User, uploads: Path) -> None:
    found = carried(room, owner, making.png(900, 900))
    client = client_of(owner)
    urls = (found.url, found.thumbnail_url)
    assert [client.get(url).status_code for url in urls] == [200, 200]
    delete_message(Message.objects.latest("pk"), actor=owner)
    assert [client.get(url).status_code for url in urls] == [404, 404]
    page = client.get(f"/rooms/{room.slug}/messages/", headers={"Accept": "application/json"}).json()
    assert page["messages"][-1]["attachments"] == []
    assert found.key not in client.get(f"/rooms/{room.slug}/").content.decode()
    assert len(stored(uploads)) == 2
    assert sweep() == 1
    assert (stored(uploads), Attachment.objects.count()) == ([], 0)


def test_unposted_file_is_its_senders_alone(room: Room, owner: User) -> None:
    member = join(room, "member")
    url = send(client_of(member), room.slug, b"draft").json()["url"]
    assert [client_of(person).get(url).status_code for person in (member, owner)] == [200, 404]


def test_unknown_types_can_do_nothing_in_a_browser(room: Room, owner: User) -> None:
    member = client_of(join(room, "member"))
    for data in [*making.DOCUMENTS.values(), *making.OTHER_IMAGES.values()]:
        response = member.get(carried(room, owner, data, "page.html").url)
        assert response.content == data
        assert {name: response.headers[name] for name in HEADERS} == {
            **HEADERS,
            "Content-Type": "application/octet-stream",
            "Content-Disposition": 'attachment; filename="page.html"',
        }


HEADERS = {
    "Content-Type": "image/png",
    "Content-Disposition": 'inline; filename="page.html"',
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store, private",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Accept-Ranges": "bytes",
}


def test_image_is_shown_under_the_same_guard(room: Room, owner: User) -> None:
    response = client_of(owner).get(carried(room, owner, making.png(), "page.html").url)
    assert {name: response.headers[name] for name in HEADERS} == HEADERS


@pytest.mark.parametrize(
    ("asked", "status", "says", "got"),
    [
        ("bytes=0-3", 206, "bytes 0-3/10", b"0123"),
        ("bytes=4-", 206, "bytes 4-9/10", b"456789"),
        ("bytes=-3", 206, "bytes 7-9/10", b"789"),
        ("bytes=-30", 200, None, b"0123456789"),
        ("bytes=8-99", 206, "bytes 8-9/10", b"89"),
        ("bytes=0-", 200, None, b"0123456789"),
        ("bytes=10-", 416, "bytes */10", b""),
        ("bytes=-0", 416, "bytes */10", b""),
        ("bytes=5-2", 200, None, b"0123456789"),
        ("bytes=-", 200, None, b"0123456789"),
        ("bytes=0-1,4-5", 200, None, b"0123456789"),
        ("lines=0-1", 200, None, b"0123456789"),
        ("bytes=" + "9" * 400 + "-", 200, None, b"0123456789"),
    ],
)
def test_part_is_sent(room: Room, owner: User, asked: str, status: int, says: str | None, got: bytes) -> None:
    url = carried(room, owner, b"0123456789").url
    response = client_of(owner).get(url, headers={"Range": asked})
    assert (response.status_code, response.headers.get("Content-Range"), response.content) == (status, says, got)
    assert response.headers["Content-Length"] == str(len(got))


def test_part_of_another_version_is_the_whole(room: Room, owner: User) -> None:
    url, client = carried(room, owner, b"0123456789").url, client_of(owner)
    etag = client.get(url).headers["ETag"]
    for version, got in ((etag, b"01"), ('"other"', b"0123456789"), (f"W/{etag}", b"0123456789")):
        assert client.get(url, headers={"Range": "bytes=0-1", "If-Range": version}).content == got


def test_lost_file_is_not_found(room: Room, owner: User, uploads: Path) -> None:
    found = carried(room, owner)
    stored(uploads)[0].unlink()
    assert client_of(owner).get(found.url).status_code == 404


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_file_is_only_read(room: Room, owner: User, method: str) -> None:
    url, client = carried(room, owner).url, client_of(owner)
    with nothing_happens():
        assert getattr(client, method)(url).status_code == 405


# The shipped server sends the file after Django is done with the request.
def ask(
    server: ServerProcess, user: User, url: str, method: str = "GET", **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    wire = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    wire.request(method, url, headers={"Cookie": cookie_header(client_of(user)), **headers})
    response = wire.getresponse()
    body = response.read()
    wire.close()
    return response, body


def token_of(server: ServerProcess, client: Client) -> dict[str, str]:
    page = client.get("/rooms/").content.decode()
    token = re.search('name="csrf-token" content="([^"]+)"', page)
    assert token
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    return {"Cookie": cookies, "X-CSRFToken": token[1], "Accept": "application/json"}


def send_over_the_wire(server: ServerProcess, user: User, room: Room, data: bytes) -> tuple[int, Any]:
    return send_as(server, token_of(server, client_of(user)), room, data)


def send_as(server: ServerProcess, headers: dict[str, str], room: Room, data: bytes) -> tuple[int, Any]:
    headers = {**headers, "Content-Type": "application/octet-stream"}
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as wire:
        wire.request("POST", f"/rooms/{room.slug}/files/?name=a.bin", data, headers)
        response = wire.getresponse()
        answer = json.loads(response.read())
    if response.status != 503:
        assert "script-src" in response.headers["Content-Security-Policy"], "what middleware gives is there in the end"
    return response.status, answer


def test_server_takes_and_gives_large_files(server: ServerProcess, room: Room, owner: User) -> None:
    data = bytes(range(256)) * 4 * 1024 * 5  # 5 MB
    status, answer = send_over_the_wire(server, owner, room, data)
    assert (status, answer["size"]) == (201, len(data))
    post_message(room, author=owner, text="", client_id=uuid.uuid4(), attachments=[answer["id"]])
    response, body = ask(server, owner, answer["url"])
    assert (response.status, body == data, response.headers["Content-Length"]) == (200, True, str(len(data)))
    response, body = ask(server, owner, answer["url"], Range="bytes=1000000-1000999")
    assert (response.status, body) == (206, data[1_000_000:1_001_000])
    response, body = ask(server, owner, answer["url"], "HEAD")
    assert (response.status, body, response.headers["Content-Length"]) == (200, b"", str(len(data)))
    assert (response.headers["Cache-Control"], response.headers["X-Content-Type-Options"]) == (
        "no-store, private",
        "nosniff",
    )


def test_server_makes_images_anew_and_refuses_bad_ones(server: ServerProcess, room: Room, owner: User) -> None:
    status, answer = send_over_the_wire(server, owner, room, making.png(900, 600))
    assert (status, answer["width"], answer["thumbnail"]["width"]) == (201, 900, 720)
    response, body = ask(server, owner, answer["thumbnail"]["url"])
    assert (response.status, response.headers["Content-Type"], body[:4]) == (200, "image/webp", b"RIFF")
    status, answer = send_over_the_wire(server, owner, room, making.png_flood(20_000, 20_000))
    assert (status, set(answer["errors"])) == (400, {"file"})
