"""People's pictures."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from accounts.models import User
from messaging.sweeping import sweep
from rooms.models import Room
from tests.cast import nothing_happens
from tests.conftest import client_of
from tests.factories import MessageFactory
from tests.files import making
from tests.files.making import stored

PATH = "/accounts/picture/"


def change(client: Client, data: bytes, **fields: Any) -> Any:
    return client.post(PATH, {"picture": SimpleUploadedFile("me.png", data), **fields})


def test_picture_is_cropped_shown_and_replaced(room: Room, owner: User, uploads: Path) -> None:
    client = client_of(owner)
    data = making.encoded(making.picture(200, 100), "PNG")
    assert change(client, data, left="1", top="0", side="1").status_code == 302
    owner.refresh_from_db()
    (path,) = stored(uploads)
    assert path.name == owner.avatar_key
    response = client.get(owner.avatar_url)
    assert (response.headers["Content-Type"], response.headers["Cache-Control"]) == (
        "image/webp",
        "private, max-age=31536000, immutable",
    )
    with Image.open(io.BytesIO(response.content)) as image:
        assert image.size == (256, 256)
        assert image.convert("RGB").getpixel((128, 128))[2] > 200  # type: ignore[index]  # of three colours
    former = owner.avatar_url
    assert change(client, making.jpeg_of_a_camera()).status_code == 302
    owner.refresh_from_db()
    assert owner.avatar_url != former
    assert making.SECRET not in client.get(owner.avatar_url).content


@pytest.mark.django_db(transaction=True)
def test_former_picture_is_removed(owner: User, uploads: Path) -> None:
    client = client_of(owner)
    change(client, making.png())
    former = User.objects.get(pk=owner.pk)
    change(client, making.png())
    assert len(stored(uploads)) == 1
    assert client.get(former.avatar_url).status_code == 404
    assert sweep() == 0
    assert client.post(f"{PATH}remove/").status_code == 302
    owner.refresh_from_db()
    assert (owner.avatar_key, stored(uploads)) == ("", [])


def test_picture_is_in_rows_lists_and_frames(room: Room, owner: User) -> None:
    client = client_of(owner)
    MessageFactory.create(room=room, author=owner)
    url = f"/rooms/{room.slug}/"
    assert 'class="avatar avatar--picture"' not in client.get(url).content.decode()
    change(client, making.png())
    owner.refresh_from_db()
    page = client.get(url).content.decode()
    assert page.count(f'src="{owner.avatar_url}"') == 4  # beside the rooms, in the row, among the members, to be sent
    data = client.get(f"{url}messages/", headers={"Accept": "application/json"}).json()
    assert data["messages"][0]["author"]["avatar"] == owner.avatar_url


def test_picture_is_for_people_who_are_signed_in(owner: User, outsider: User) -> None:
    change(client_of(owner), making.png())
    owner.refresh_from_db()
    assert client_of(outsider).get(owner.avatar_url).status_code == 200
    assert Client().get(owner.avatar_url).status_code == 302
    for key in ("0" * 32, "%00", "x"):
        assert client_of(outsider).get(f"/accounts/pictures/{key}/").status_code == 404
    with nothing_happens():
        assert (Client().post(PATH).status_code, Client().get(PATH).status_code) == (302, 405)


BAD = {
    "no image": (b"<svg/>", "Choose a PNG"),
    "none": (b"", "empty"),
    "damaged": (making.png()[:70], "damaged"),
    "flood": (making.png_flood(12_000, 12_000), "40 megapixels"),
}


@pytest.mark.parametrize(("data", "sentence"), BAD.values(), ids=BAD)
def test_bad_picture_is_refused(owner: User, uploads: Path, data: bytes, sentence: str) -> None:
    client = client_of(owner)
    with nothing_happens():
        response = change(client, data)
    assert (response.status_code, sentence in response.content.decode(), stored(uploads)) == (400, True, [])


@pytest.mark.parametrize("fields", [{"left": "nan"}, {"side": "0"}, {"top": "-1"}, {"side": "1e999"}, {"left": "a"}])
def test_bad_square_is_refused(owner: User, uploads: Path, fields: dict[str, str]) -> None:
    client = client_of(owner)
    with nothing_happens():
        assert change(client, making.png(), **fields).status_code == 400
    assert stored(uploads) == []


def test_without_room_the_picture_stays(owner: User, uploads: Path, settings: Any) -> None:
    client = client_of(owner)
    settings.UPLOAD_FREE_PERCENT = 101
    with nothing_happens():
        assert change(client, making.png()).status_code == 503
    assert stored(uploads) == []
