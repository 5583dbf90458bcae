"""What nothing refers to goes, and nothing else."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db.models.functions import Now

from accounts.models import User
from messaging.models import Attachment
from messaging.sweeping import sweep
from messaging.verify import findings
from project.files import store
from project.files.store import THUMBNAIL
from rooms.models import Room
from tests.conftest import client_of
from tests.files import making
from tests.files.making import send, stored
from tests.files.test_serving import carried


def age(path: Path, seconds: float) -> None:
    os.utime(path, (time.time() - seconds,) * 2)


def test_unposted_file_lives_for_a_day(room: Room, owner: User, uploads: Path, settings: Any) -> None:
    posted = carried(room, owner)
    send(client_of(owner), room.slug, making.png(900, 900))
    assert (sweep(), len(stored(uploads))) == (0, 3)
    old = Now() - timedelta(seconds=settings.UPLOAD_LIFE_SECONDS + 60)
    Attachment.objects.update(created_at=old)
    for path in stored(uploads):
        age(path, settings.UPLOAD_LIFE_SECONDS + 60)
    out = StringIO()
    call_command("sweep", stdout=out)
    assert out.getvalue() == "Removed 1 file that nothing refers to.\n"
    assert [path.name for path in stored(uploads)] == [posted.key]
    assert list(Attachment.objects.all()) == [posted]
    assert sweep() == 0


def test_what_no_row_knows_goes_when_it_is_old(room: Room, owner: User, uploads: Path, settings: Any) -> None:
    carried(room, owner)
    key = "ab" * 16
    orphan, half = uploads / "ab" / "ab" / key, uploads / "incoming" / ("cd" * 16)
    orphan.parent.mkdir(parents=True)
    other = uploads / "ab" / "ab" / "README"
    preview = store.path_of("ef" * 16, THUMBNAIL)  # whose file went before something broke
    preview.parent.mkdir(parents=True)
    for path in (orphan, half, other, preview):
        path.write_bytes(b"x")
    assert (sweep(), orphan.exists(), half.exists()) == (0, True, True)
    for path in (orphan, half, other, preview):
        age(path, settings.UPLOAD_LIFE_SECONDS + 60)
    assert (sweep(), orphan.exists(), half.exists(), preview.exists(), other.exists()) == (2, False, False, False, True)


def test_new_name_of_an_old_file_stays_until_its_row_is_committed(
    room: Room, owner: User, uploads: Path, settings: Any
) -> None:
    old, key = carried(room, owner), store.new_key()
    for path in stored(uploads):
        age(path, settings.UPLOAD_LIFE_SECONDS + 60)
    store.copy(old.key, key)  # as by a forwarding that is under way
    assert (sweep(), store.path_of(key).exists()) == (0, True)
    age(store.path_of(key), settings.UPLOAD_LIFE_SECONDS + 60)
    assert (sweep(), store.path_of(key).exists(), store.path_of(old.key).exists()) == (1, False, True)


def test_deleted_room_leaves_no_files_for_long(room: Room, owner: User, uploads: Path, settings: Any) -> None:
    carried(room, owner)
    room.delete()
    (path,) = stored(uploads)
    age(path, settings.UPLOAD_LIFE_SECONDS + 60)
    assert (sweep(), stored(uploads)) == (1, [])


def test_verify_finds_files_that_are_lost_or_changed(room: Room, owner: User, uploads: Path) -> None:
    carried(room, owner, b"kept")
    assert list(findings(Room.objects.all())) == []
    lost, short = carried(room, owner, b"lost"), carried(room, owner, b"short")
    next(path for path in stored(uploads) if path.name == lost.key).unlink()
    next(path for path in stored(uploads) if path.name == short.key).write_bytes(b"sh")
    found = [(each.kind, each.position) for each in findings(Room.objects.all())]
    positions = [each.message.position for each in (lost, short) if each.message]
    assert found == [("file_missing", position) for position in positions]


def test_verify_finds_messages_that_miscount_their_files(room: Room, owner: User) -> None:
    found = carried(room, owner)
    assert found.message
    Attachment.objects.all().delete()
    assert [(each.kind, each.position) for each in findings(Room.objects.all())] == [
        ("files_miscounted", found.message.position)
    ]
