"""Files on their way in: what is taken, what is refused, and that a refusal leaves nothing."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from messaging.actions import ClientIdConflictError, post_message
from messaging.events import read_after
from messaging.history import page_before
from messaging.models import Attachment, Message
from rooms.models import Room
from tests.cast import nothing_happens, together
from tests.conftest import client_of, join, leave
from tests.factories import MembershipFactory, RoomFactory
from tests.files import making
from tests.files.making import send, stored

SHOWN = {**making.SOUNDS_AND_FILMS}


def text_of(response: Any) -> str:
    errors = response.json()["errors"]
    return " ".join(sentence for sentences in errors.values() for sentence in sentences)


def test_image_is_kept_and_described(room: Room, owner: User, uploads: Path) -> None:
    response = send(client_of(owner), room.slug, making.png(2000, 1000), "a view.png")
    found = Attachment.objects.get()
    assert response.status_code == 201
    assert response.json() == {
        "id": found.key,
        "name": "a view.png",
        "size": found.size,
        "kind": "image",
        "content_type": "image/png",
        "width": 2000,
        "height": 1000,
        "animated": False,
        "url": f"/files/{found.key}/",
        "thumbnail": {"url": f"/files/{found.key}/thumbnail/", "width": 720, "height": 360},
    }
    folder = uploads / found.key[:2] / found.key[2:4]
    assert stored(uploads) == [folder / found.key, folder / f"{found.key}.thumbnail"]
    assert (found.size, found.message, found.uploader, found.room) == (
        (folder / found.key).stat().st_size,
        None,
        owner,
        room,
    )


@pytest.mark.parametrize(("content_type", "data"), SHOWN.items(), ids=SHOWN)
def test_sound_and_film_are_known_by_their_bytes(room: Room, owner: User, content_type: str, data: bytes) -> None:
    answer = send(client_of(owner), room.slug, data, "misnamed.txt").json()
    assert (answer["content_type"], answer["kind"]) == (content_type, content_type.partition("/")[0])


@pytest.mark.parametrize(
    "data", [*making.OTHER_IMAGES.values(), *making.DOCUMENTS.values()], ids=[*making.OTHER_IMAGES, *making.DOCUMENTS]
)
def test_what_is_no_image_is_a_download_whatever_its_name(room: Room, owner: User, data: bytes, uploads: Path) -> None:
    answer = send(client_of(owner), room.slug, data, "picture.png").json()
    assert (answer["kind"], answer["content_type"], answer["width"]) == ("file", "application/octet-stream", None)
    (path,) = stored(uploads)
    assert path.read_bytes() == data


def test_image_is_one_whatever_its_name_and_loses_what_is_behind_it(room: Room, owner: User, uploads: Path) -> None:
    script = b"*/=1;alert(1)//<script>alert(1)</script>"
    for format in ("GIF", "JPEG"):
        data = making.encoded(making.picture(), format) + script
        assert send(client_of(owner), room.slug, data, "page.html").json()["kind"] == "image"
    assert [path for path in stored(uploads) if b"alert" in path.read_bytes()] == []


REFUSED = {
    "empty": (b"", 400, "This file is empty."),
    "PNG that ends early": (making.png()[:60], 400, "damaged"),
    "only a signature": (b"\x89PNG\r\n\x1a\n", 400, "damaged"),
    "flood": (making.png_flood(12_000, 12_000), 400, "40 megapixels"),
}


@pytest.mark.parametrize(("data", "status", "sentence"), REFUSED.values(), ids=REFUSED)
def test_refusal_leaves_nothing(
    room: Room, owner: User, uploads: Path, data: bytes, status: int, sentence: str
) -> None:
    client = client_of(owner)
    with nothing_happens():
        response = send(client, room.slug, data)
    assert response.status_code == status
    assert sentence in text_of(response)
    assert stored(uploads) == []


def test_file_may_be_as_large_as_the_limit_and_no_larger(room: Room, owner: User, uploads: Path, settings: Any) -> None:
    settings.UPLOAD_MAX_BYTES = 100_000
    client = client_of(owner)
    assert send(client, room.slug, b"x" * 100_000).status_code == 201
    kept = stored(uploads)
    with nothing_happens():
        response = send(client, room.slug, b"x" * 100_001)
    assert (response.status_code, "too large" in text_of(response), stored(uploads)) == (413, True, kept)


def test_person_has_a_quota_over_all_rooms(room: Room, owner: User, uploads: Path, settings: Any) -> None:
    settings.UPLOAD_QUOTA_BYTES = 1_000
    other, member = RoomFactory.create(actor=owner), join(room, "member")
    client = client_of(owner)
    assert send(client, room.slug, b"x" * 600).status_code == 201
    kept = stored(uploads)
    with nothing_happens():
        response = send(client, other.slug, b"x" * 401)
    assert (response.status_code, "Delete messages" in text_of(response), stored(uploads)) == (413, True, kept)
    assert send(client, other.slug, b"x" * 400).status_code == 201
    assert send(client_of(member), room.slug, b"x" * 1_000).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_quota_holds_when_files_come_together(owner: User, room: Room, uploads: Path, settings: Any) -> None:
    settings.UPLOAD_QUOTA_BYTES = 1_000
    clients = [client_of(owner) for _ in range(4)]
    calls = [lambda client=client: send(client, room.slug, b"x" * 400).status_code for client in clients]
    assert sorted(together(*calls)) == [201, 201, 413, 413]
    assert len(stored(uploads)) == Attachment.objects.count() == 2


FAULTS = {
    "nearly full": lambda folder, settings: setattr(settings, "UPLOAD_FREE_PERCENT", 101),
    "no folder": lambda folder, settings: setattr(settings, "UPLOADS_DIR", Path("/dev/null/uploads")),
    "a file in its place": lambda folder, settings: folder.write_text("x"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_without_room_files_are_refused_and_text_goes_on(
    room: Room, owner: User, uploads: Path, settings: Any, fault: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client = client_of(owner)
    fault(uploads, settings)
    with nothing_happens():
        response = send(client, room.slug, b"some bytes")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "60")
    assert "server has no room" in text_of(response)
    with nothing_happens():
        assert post_form(client, room, "with a file", b"some bytes").status_code == 503
    assert post(client, room, "text").status_code == 201
    assert "could not be kept" in caplog.text


NAMES = {
    "../../etc/passwd": "passwd",
    "..\\..\\boot.ini": "boot.ini",
    "CON": "CON",
    'x"; filename=y': 'x"; filename=y',
    "a\r\nSet-Cookie: b": "aSet-Cookie: b",
    "invoice\u202excod.exe": "invoicexcod.exe",
    ".htaccess": "htaccess",
    "..": "file",
    "": "file",
    "\u200b": "file",
    "a" * 300 + ".tar.gz": "a" * 147 + ".gz",
    "<script>alert(1)</script>": "script>",
    "Grüße 👩‍👩‍👧.txt": "Grüße 👩‍👩‍👧.txt",
}


@pytest.mark.parametrize(("name", "kept"), NAMES.items(), ids=[repr(name)[:30] for name in NAMES])
def test_name_is_only_shown(room: Room, owner: User, uploads: Path, name: str, kept: str) -> None:
    client = client_of(owner)
    answer = send(client, room.slug, b"bytes", name).json()
    assert answer["name"] == kept
    (path,) = stored(uploads)
    assert path.name == answer["id"]
    header = client.get(answer["url"]).headers["Content-Disposition"]
    assert header.startswith("attachment; filename")
    assert ("\r" in header or "\n" in header) is False


@pytest.mark.parametrize("query", ["a%00.png", "%ff%fe", "a" + "%CC%81" * 20])
def test_name_that_is_broken_is_refused(room: Room, owner: User, uploads: Path, query: str) -> None:
    client = client_of(owner)
    with nothing_happens():
        response = client.post(f"/rooms/{room.slug}/files/?name={query}", b"x", content_type="application/octet-stream")
    assert (response.status_code, set(response.json()["errors"]), stored(uploads)) == (400, {"name"}, [])


def post(client: Client, room: Room, text: str, *keys: str, client_id: str = "") -> Any:
    fields = {"text": text, "client_id": client_id or str(uuid.uuid4()), "attachments": ",".join(keys)}
    return client.post(f"/rooms/{room.slug}/messages/", fields, headers={"Accept": "application/json"})


def post_form(client: Client, room: Room, text: str, *files: bytes, client_id: str = "") -> Any:
    parts = [SimpleUploadedFile(f"{number}.txt", data) for number, data in enumerate(files)]
    fields = {"text": text, "client_id": client_id or str(uuid.uuid4()), "files": parts}
    return client.post(f"/rooms/{room.slug}/messages/", fields, headers={"Accept": "application/json"})


def sent(client: Client, room: Room, *files: bytes) -> list[str]:
    return [send(client, room.slug, data, f"{number}.txt").json()["id"] for number, data in enumerate(files)]


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
        assert post(client, room, " ").json()["errors"] == {"text": ["Write something first."]}
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
