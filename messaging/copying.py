"""Files of a message that is taken to another room: rows and keys of their own, and the same bytes where a disk can.

Whoever forwards a file is the one who sent it there: it counts for them, is read by that room's people, and stays when
the first one is deleted.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from accounts.models import User
from messaging.models import Attachment
from messaging.uploading import refusals, require_place
from project.files import store
from rooms.models import Room

SAME = (
    "name",
    "size",
    "sha256",
    "kind",
    "content_type",
    "width",
    "height",
    "is_animated",
    "thumbnail_width",
    "thumbnail_height",
)


def copy_all(attachments: Sequence[Attachment], *, room: Room, uploader: User) -> list[Attachment]:
    """Keep copies of files for a message to come, under their new sender's row lock, or none. Publishes nothing.

    Raises `RefusedError`, and `PermissionDenied` if they may not post in the room by now; nothing is left then.
    """
    if not attachments:
        return []
    keys = [store.new_key() for _each in attachments]
    try:
        with refusals(), transaction.atomic():
            require_place(sum(each.size for each in attachments), room=room, uploader=uploader)
            return [_copy(each, key, room, uploader) for each, key in zip(attachments, keys, strict=True)]
    except BaseException:
        for key in keys:
            store.remove(key)
        raise


def _copy(attachment: Attachment, key: str, room: Room, uploader: User) -> Attachment:
    store.copy(attachment.key, key)
    if attachment.has_thumbnail:
        store.copy(attachment.key, key, store.THUMBNAIL)
    same = {name: getattr(attachment, name) for name in SAME}
    return Attachment.objects.create(key=key, room=room, uploader=uploader, **same)
