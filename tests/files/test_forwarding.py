"""A message with files, taken to another room: its files go with it, to that room's people and for their new sender."""

from __future__ import annotations

import uuid
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from messaging.actions import delete_message
from messaging.models import Attachment, Message
from messaging.sweeping import sweep
from project.files import store
from rooms.actions import archive_room
from rooms.models import Room
from tests.cast import nothing_happens
from tests.conftest import client_of, join
from tests.factories import MembershipFactory, RoomFactory, UserFactory
from tests.files import making
from tests.files.making import send
from tests.files.test_serving import CANARY, carried

JSON = {"Accept": "application/json"}


@pytest.fixture
def target(owner: User) -> Room:
    return RoomFactory.create(name="Cellar", kind=Room.Kind.PRIVATE, actor=owner)


def forward(client: Client, message: Message, target: Room, client_id: str = "") -> Any:
    fields = {"room": target.slug, "client_id": client_id or str(uuid.uuid4())}
    path = f"/rooms/{message.room.slug}/messages/{message.pk}/forward/"
    return client.post(path, fields, headers=JSON)


def bytes_at(reader: User, url: str) -> bytes | int:
    response = client_of(reader).get(url)
    return response.getvalue() if response.status_code == 200 else response.status_code


def message_of(attachment: Attachment) -> Message:
    assert attachment.message
    return attachment.message


def test_files_go_with_their_message_to_the_other_rooms_people(room: Room, target: Room, owner: User) -> None:
    member = join(room, "member")
    friend = UserFactory.create(username="friend")
    MembershipFactory.create(room=target, member=friend)
    picture = carried(room, member, making.png(900, 900), "view.png")
    client_id = str(uuid.uuid4())
    client = client_of(owner)
    answers = [forward(client, message_of(picture), target, client_id) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    posted = Message.objects.get(room=target)
    assert posted.text == "— Member in #kitchen"
    (copy,) = posted.attachments.all()
    assert (copy.uploader, copy.room, copy.key != picture.key) == (owner, target, True)
    for name in ("name", "size", "sha256", "kind", "content_type", "width", "height", "thumbnail_width"):
        assert getattr(copy, name) == getattr(picture, name)
    assert bytes_at(friend, copy.url) == bytes_at(member, picture.url)
    assert bytes_at(friend, copy.thumbnail_url) == bytes_at(member, picture.thumbnail_url)
    assert (bytes_at(member, copy.url), bytes_at(member, copy.thumbnail_url)) == (404, 404)


def test_each_is_deleted_by_itself(room: Room, target: Room, owner: User) -> None:
    first = carried(room, owner)
    assert forward(client_of(owner), message_of(first), target).status_code == 200
    copy = Attachment.objects.get(room=target)
    assert store.path_of(copy.key).samefile(store.path_of(first.key))
    delete_message(message_of(first), actor=owner)
    assert sweep() == 1
    assert not store.path_of(first.key).exists()
    assert bytes_at(owner, copy.url) == CANARY
    delete_message(message_of(copy), actor=owner)
    assert sweep() == 1
    assert not store.path_of(copy.key).exists()


def test_disk_without_links_gets_a_copy(room: Room, owner: User, uploads: Path) -> None:
    first = carried(room, owner)
    memory = Path("/dev/shm")  # noqa: S108 (another file system: a file of this one can have no second name there)
    if not memory.is_dir() or memory.stat().st_dev == uploads.stat().st_dev:
        pytest.skip("there is no other file system here")
    with TemporaryDirectory(dir=memory) as elsewhere:
        key = store.new_key()
        folder = store.path_of(key).parent
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.symlink_to(elsewhere)
        store.copy(first.key, key)
        assert store.path_of(key).read_bytes() == CANARY
        assert not store.path_of(key).samefile(store.path_of(first.key))


def test_what_is_forwarded_counts_for_whoever_forwards(room: Room, target: Room, owner: User, settings: Any) -> None:
    member = join(room, "member")
    MembershipFactory.create(room=target, member=member)
    file = message_of(carried(room, owner))
    client = client_of(member)
    send(client, room.slug, b"x" * 10, "own.txt")
    settings.UPLOAD_QUOTA_BYTES = 10 + len(CANARY) - 1
    with nothing_happens():
        refused = forward(client, file, target)
    assert (refused.status_code, list(refused.json()["errors"])) == (413, ["file"])
    settings.UPLOAD_QUOTA_BYTES += 1
    assert forward(client, file, target).status_code == 200


def test_nothing_is_left_of_what_could_not_be_forwarded(room: Room, target: Room, owner: User) -> None:
    first = carried(room, owner)
    mine, strange = client_of(owner), client_of(join(room, "stranger"))
    kept = list(store.kept_keys(-1))
    archive_room(target, actor=owner)
    with nothing_happens():
        assert forward(mine, message_of(first), target).status_code == 403
        assert forward(strange, message_of(first), target).status_code == 404
    assert list(store.kept_keys(-1)) == kept == [first.key]
