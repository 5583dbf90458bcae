"""Files on their way into a room: taken in, looked at, kept, posted, and swept away when nothing refers to them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Case, Sum, Value, When
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts.models import User
from messaging.models import Attachment
from project.files import images, store
from project.files.images import Picture
from project.files.kinds import HEAD_BYTES, Type, type_of
from project.files.names import clean_filename
from rooms.models import Membership, Room

MEGABYTE = 1024 * 1024

logger = logging.getLogger(__name__)

_FLUSHERS = ThreadPoolExecutor(max_workers=4, thread_name_prefix="uploads")
_SWEPT_AT_ONCE = 500


class RefusedError(Exception):
    """A file is not taken; the message is for its sender, the status for their browser."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Prepared:
    """A file that can be kept: its bytes are on the disk and it is known what it is."""

    name: str
    path: Path
    size: int
    sha256: str
    type: Type
    picture: Picture | None = None
    thumbnail: Path | None = None

    def discard(self) -> None:
        store.discard(self.path, *([self.thumbnail] if self.thumbnail else []))


def prepare(incoming: store.Incoming, name: str) -> Future[Prepared]:
    """Begin to look at a file that has come. An image is made anew in a process of its own, when its turn comes.

    The future raises `ImageRefusedError` or `StorageError`; nothing is left of the file then.
    """
    with incoming.path.open("rb") as file:
        found = type_of(file.read(HEAD_BYTES))
    if found.kind == "image":
        return images.WORKERS.submit(_prepare_image, incoming, name)
    return _FLUSHERS.submit(_prepare_file, incoming, name, found)


def keep(prepared: Prepared, *, room: Room, uploader: User) -> Attachment:
    """Keep a file for a message to come, under its sender's row lock. Publishes nothing.

    Raises `RefusedError`, and `PermissionDenied` if they may not post in the room by now; nothing is left of the file
    then.
    """
    key = store.new_key()
    try:
        with refusals(), transaction.atomic():
            require_place(prepared.size, room=room, uploader=uploader)
            attachment = _row(prepared, key, room, uploader)
            if prepared.thumbnail:
                store.keep(prepared.thumbnail, key, store.THUMBNAIL)
            store.keep(prepared.path, key)
            return attachment
    except BaseException:
        prepared.discard()
        store.remove(key)
        raise


def take_in(source: store.Readable) -> store.Incoming:
    """Receive a file; raises `RefusedError`, and then nothing is left of it."""
    with refusals():
        incoming = store.receive(source, settings.UPLOAD_MAX_BYTES)
    if incoming.size == 0:
        store.discard(incoming.path)
        raise RefusedError(_("This file is empty."), 400)
    return incoming


def prepared(work: Future[Prepared]) -> Prepared:
    """Return what came of looking at a file. Raises `RefusedError`."""
    with refusals():
        return work.result()


def prepare_all(parts: Sequence[UploadedFile[bytes]], are_whole: bool) -> Future[list[Prepared]]:
    """Begin to look at the files of a form. Raises `RefusedError`, and then nothing is left of any."""
    if not are_whole:
        raise RefusedError(_no_room(), 503)
    begun: list[Future[Prepared]] = []
    try:
        for part in parts:
            begun.append(prepare(take_in(part), clean_filename(part.name or "")))  # noqa: PERF401 (they are undone)
    except BaseException:
        _undo(begun)
        raise
    return _FLUSHERS.submit(_all_of, begun)


def keep_all(work: Future[list[Prepared]], *, room: Room, uploader: User) -> list[Attachment]:
    """Keep the files of a form, or none of them: as `keep`."""
    with refusals():
        found = work.result()
    kept: list[Attachment] = []
    try:
        for each in found:
            kept.append(keep(each, room=room, uploader=uploader))  # noqa: PERF401 (they are undone)
    except BaseException:
        withdraw(kept)
        for each in found:
            each.discard()
        raise
    return kept


def attach(keys: Sequence[str], *, room_id: int, author_id: int, message_id: int) -> None:
    """Make files part of a message that is being posted; the caller holds the room's row lock.

    Raises `ValidationError` unless all of them are the author's, of this room and in no message.
    """
    places = Case(*(When(key=key, then=Value(place)) for place, key in enumerate(keys)))
    mine = Attachment.objects.unposted().filter(key__in=keys, room=room_id, uploader=author_id)
    if mine.update(message=message_id, place=places) != len(keys):
        raise ValidationError({"attachments": _("One of the files is no longer there. Add it again.")})


def withdraw(attachments: Sequence[Attachment]) -> None:
    """Forget files whose message could not be posted."""
    for attachment in attachments:
        Attachment.objects.unposted().filter(pk=attachment.pk).delete()
        store.remove(attachment.key)


def sweep() -> int:
    """Remove files that were never posted, those of deleted messages, and those that no row knows; return how many.

    Rows first, so that no row ever names a file that is gone.
    """
    removed = 0
    life = timedelta(seconds=settings.UPLOAD_LIFE_SECONDS)
    unposted = Attachment.objects.unposted().filter(created_at__lt=Now() - life)
    for doomed in (unposted, Attachment.objects.filter(message__deleted_at__isnull=False)):
        while keys := list(doomed.values_list("key", flat=True)[:_SWEPT_AT_ONCE]):
            Attachment.objects.filter(pk__in=doomed.filter(key__in=keys).values("pk")).delete()
            removed += remove_files(keys)
    old = list(store.kept_keys(settings.UPLOAD_LIFE_SECONDS))
    for start in range(0, len(old), _SWEPT_AT_ONCE):
        removed += remove_files(old[start : start + _SWEPT_AT_ONCE])
    store.discard(*store.abandoned(settings.UPLOAD_LIFE_SECONDS))
    return removed


def require_place(size: int, *, room: Room, uploader: User) -> None:
    """Take a person's row lock for a file of theirs; raises `RefusedError` or `PermissionDenied` if it has no place."""
    User.objects.select_for_update(no_key=True).get(pk=uploader.pk)
    _require_writer(room, uploader)
    if _used_by(uploader) + size > settings.UPLOAD_QUOTA_BYTES:
        raise RefusedError(_quota_reached(), 413)


@contextmanager
def refusals() -> Iterator[None]:
    """Inside the block whatever a file is refused for is a `RefusedError`."""
    try:
        yield
    except store.TooLargeError:
        limit = settings.UPLOAD_MAX_BYTES // MEGABYTE
        raise RefusedError(_("This file is too large: use at most %(limit)d MB.") % {"limit": limit}, 413) from None
    except images.ImageRefusedError as error:
        raise RefusedError(str(error), 400) from None
    except ValidationError as error:
        raise RefusedError(" ".join(error.messages), 400) from None
    except store.StorageError as error:
        logger.error("A file could not be kept: %s", error)
        raise RefusedError(_no_room(), 503) from None


def _no_room() -> str:
    return _("Files can't be taken right now: the server has no room for them. Try again later.")


def _quota_reached() -> str:
    limit = settings.UPLOAD_QUOTA_BYTES // MEGABYTE
    return _("You have sent %(limit)d MB of files, the most for one person. Delete messages with files first.") % {
        "limit": limit
    }


def _all_of(begun: Sequence[Future[Prepared]]) -> list[Prepared]:
    try:
        return [each.result() for each in begun]
    except BaseException:
        _undo(begun)
        raise


def _undo(begun: Sequence[Future[Prepared]]) -> None:
    wait(begun)
    for each in begun:
        if each.exception() is None:
            each.result().discard()


def _prepare_file(incoming: store.Incoming, name: str, found: Type) -> Prepared:
    try:
        store.flush(incoming.path)
    except BaseException:
        store.discard(incoming.path)
        raise
    return Prepared(name, incoming.path, incoming.size, incoming.sha256, found)


def _prepare_image(incoming: store.Incoming, name: str) -> Prepared:
    target, thumbnail = store.new_incoming(), store.new_incoming()
    try:
        picture = images.remake(incoming.path, target, thumbnail)
        size, digest = store.measured(target)
        store.flush(target)
        if picture.thumbnail:
            store.flush(thumbnail)
    except BaseException:
        store.discard(target, thumbnail)
        raise
    finally:
        store.discard(incoming.path)
    found = Type("image", picture.content_type)
    return Prepared(name, target, size, digest, found, picture, thumbnail if picture.thumbnail else None)


def _row(prepared: Prepared, key: str, room: Room, uploader: User) -> Attachment:
    picture = prepared.picture
    small = picture.thumbnail if picture else None
    return Attachment.objects.create(
        key=key,
        room=room,
        uploader=uploader,
        name=prepared.name,
        size=prepared.size,
        sha256=prepared.sha256,
        kind=prepared.type.kind,
        content_type=prepared.type.content_type,
        width=picture.width if picture else None,
        height=picture.height if picture else None,
        is_animated=bool(picture and picture.is_animated),
        thumbnail_width=small[0] if small else None,
        thumbnail_height=small[1] if small else None,
    )


def _require_writer(room: Room, user: User) -> None:
    membership = Membership.objects.select_related("room").filter(room=room, user=user).first()
    if membership is None:
        raise PermissionDenied(_("Join this room first."))
    if membership.room.is_archived:
        raise PermissionDenied(_("This room is archived: it can be read, not changed."))


def _used_by(user: User) -> int:
    return Attachment.objects.filter(uploader=user).aggregate(used=Sum("size"))["used"] or 0


def remove_files(keys: Sequence[str]) -> int:
    """Remove those of these files that nothing refers to; return how many."""
    known = set(Attachment.objects.filter(key__in=keys).values_list("key", flat=True))
    known |= set(User.objects.filter(avatar_key__in=keys).values_list("avatar_key", flat=True))
    unknown = set(keys) - known
    for key in unknown:
        store.remove(key)
    return len(unknown)
