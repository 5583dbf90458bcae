"""Files on their way into a room: taken in, looked at, kept and posted."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Case, Sum, Value, When
from django.http import HttpResponse
from django.utils.translation import gettext as _

from accounts.models import User
from messaging.models import Attachment
from project.errors import WAIT_SECONDS
from project.files import images, store
from project.files.images import Picture
from project.files.kinds import HEAD_BYTES, Type, type_of
from project.files.names import clean_filename
from rooms.models import Membership, Room

MEGABYTE = 1024 * 1024

logger = logging.getLogger(__name__)

_FLUSHERS = ThreadPoolExecutor(max_workers=4, thread_name_prefix="uploads")
# Of their own: they wait for images, and other people's files wait for none.
FORMS = 4
_FORMS = ThreadPoolExecutor(max_workers=FORMS, thread_name_prefix="forms")


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


def names_of(parts: Sequence[UploadedFile[bytes]]) -> list[str]:
    """Return the names that a form's files are kept under. Raises `RefusedError`."""
    with refusals():
        return [clean_filename(part.name or "") for part in parts]


def prepare_all(
    parts: Sequence[UploadedFile[bytes]], names: Sequence[str], *, are_whole: bool
) -> Future[list[Prepared]]:
    """Begin to look at the files of a form. Raises `RefusedError`, and then nothing is left of any."""
    if not are_whole:
        raise RefusedError(_no_room(), 503)
    begun: list[Future[Prepared]] = []
    try:
        for part, name in zip(parts, names, strict=True):
            begun.append(prepare(take_in(part), name))
    except BaseException:
        _undo(begun)
        raise
    return _FORMS.submit(_all_of, begun)


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


def are_the_same(keys: Sequence[str], posted: Sequence[Attachment], *, author_id: int) -> bool:
    """Whether these are the keys of a message's files, or of files of its author's that say the same.

    A form that was sent twice has kept its files twice by the time that one of the two is posted.
    """
    if list(keys) == [each.key for each in posted]:
        return True
    unposted = Attachment.objects.unposted().filter(key__in=keys, uploader=author_id)
    says = {key: (name, digest) for key, name, digest in unposted.values_list("key", "name", "sha256")}
    return [says.get(key) for key in keys] == [(each.name, each.sha256) for each in posted]


def withdraw(attachments: Sequence[Attachment]) -> None:
    """Forget files whose message could not be posted."""
    for attachment in attachments:
        Attachment.objects.unposted().filter(pk=attachment.pk).delete()
        store.remove(attachment.key)


def require_place(size: int, *, room: Room, uploader: User) -> None:
    """Take a person's row lock for a file of theirs; raises `RefusedError` or `PermissionDenied` if it has no place."""
    User.objects.select_for_update(no_key=True).get(pk=uploader.pk)
    _require_writer(room, uploader)
    if _used_by(uploader) + size > settings.UPLOAD_QUOTA_BYTES:
        raise RefusedError(_quota_reached(), 413)


def may_come_later(response: HttpResponse) -> HttpResponse:
    """Say when to come again in an answer that refuses a file for want of room."""
    if response.status_code == 503:
        response.headers["Retry-After"] = WAIT_SECONDS
    return response


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
