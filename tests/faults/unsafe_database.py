"""Safeties around the database and the files, each to be taken off in a server of `tests.faults.unsafe_server`."""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from accounts.models import User
from messaging import actions, history
from messaging.models import Message
from messaging.page_reading import Reading
from project.files import store
from project.realtime import reader
from rooms.models import Room

CROWD = 100  # of request threads: five times as many as there are connections


def without_commit() -> None:
    """A message is acknowledged whether or not it could be written."""
    post_message = actions.post_message

    def post_hopefully(room: Room, *, author: User, text: str, client_id: UUID, **said: Any) -> actions.Posted:
        try:
            return post_message(room, author=author, text=text, client_id=client_id, **said)
        except DatabaseError:
            now = timezone.now()
            hoped = Message(room=room, position=0, author=author, client_id=client_id, text=text, created_at=now)
            return actions.Posted(hoped, created=True)

    setattr(actions, "post_message", post_hopefully)  # noqa: B010


def without_reserve() -> None:
    """Streams are read through the connections that requests use, and there are more requests than connections."""
    settings.REQUEST_THREADS = CROWD
    read_once = reader._with_live_connection

    def read_and_return(read: Callable[[], Any]) -> Any:
        try:
            return read_once(read)
        finally:
            connection.close()

    setattr(reader, "_leave_the_pool", lambda: None)  # noqa: B010
    setattr(reader, "_with_live_connection", read_and_return)  # noqa: B010


def without_order() -> None:
    """A room is read in the order of the clock."""
    for name in ("OLDEST_FIRST", "NEWEST_FIRST"):
        reading: Reading = getattr(history, name)
        by_time = re.sub(r"position (ASC|DESC)", r"created_at \1", reading.messages)
        setattr(history, name, reading._replace(messages=by_time))


def without_files() -> None:
    """A file is acknowledged whether or not it could be kept: its row comes first."""
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = settings.UPLOAD_MAX_BYTES  # so that all of it comes in
    receive, keep = store.receive, store.keep

    def receive_hopefully(source: store.Readable, limit: int) -> store.Incoming:
        content = source.read(limit)
        try:
            return receive(BytesIO(content), limit)
        except store.StorageError:
            elsewhere = Path(tempfile.mkdtemp(prefix="earshot-hoped-"), "file")
            elsewhere.write_bytes(content)
            return store.Incoming(elsewhere, len(content), hashlib.sha256(content).hexdigest())

    def keep_hopefully(incoming: Path, key: str, suffix: str = "") -> None:
        with suppress(store.StorageError):
            keep(incoming, key, suffix)
        if incoming.parent.name.startswith("earshot-hoped-"):
            shutil.rmtree(incoming.parent)

    setattr(store, "receive", receive_hopefully)  # noqa: B010
    setattr(store, "keep", keep_hopefully)  # noqa: B010


DATABASE: dict[str, Callable[[], None]] = {
    "commit": without_commit,
    "reserve": without_reserve,
    "order": without_order,
    "files": without_files,
}
