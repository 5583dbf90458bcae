"""Files on their way in: what is taken, what is refused, and that a refusal leaves nothing."""

from __future__ import annotations

import uuid
from concurrent.futures import Future, wait
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import User
from messaging.models import Attachment
from messaging.uploading import _FORMS, FORMS, Prepared, RefusedError, _all_of
from rooms.models import Room
from tests.cast import nothing_happens, together
from tests.conftest import client_of, join
from tests.factories import RoomFactory
from tests.files import making
from tests.files.making import send, stored
from tests.files.posting import post, post_form

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
        response = post_form(client, room, "with a file", b"some bytes")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "60")
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


@pytest.mark.parametrize("name", ["\ufffd.png", "a" + "\u0301" * 20])
def test_name_that_is_broken_is_refused_in_a_form_and_nothing_is_left(
    room: Room, owner: User, uploads: Path, name: str
) -> None:
    client, client_id = client_of(owner), str(uuid.uuid4())

    def post_named(name: str) -> int:
        fields = {"text": "look", "client_id": client_id, "files": SimpleUploadedFile(name, b"some bytes")}
        return int(client.post(f"/rooms/{room.slug}/messages/", fields).status_code)

    with nothing_happens():
        assert post_named(name) == 400
    assert list((uploads / "incoming").iterdir()) == []
    assert post_named("good.png") == 302
    with nothing_happens():
        assert post_named(name) == 400
    assert list((uploads / "incoming").iterdir()) == []


def test_files_wait_for_nobody_elses_images(room: Room, owner: User, uploads: Path) -> None:
    """However many forms wait for their images to be made anew."""
    waiting: list[Future[Prepared]] = [Future() for _ in range(2 * FORMS)]
    works = [_FORMS.submit(_all_of, [each]) for each in waiting]
    try:
        assert send(client_of(owner), room.slug, b"some bytes").status_code == 201
    finally:
        for each in waiting:
            each.set_exception(RefusedError("never", 400))
        wait(works)
