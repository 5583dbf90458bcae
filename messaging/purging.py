"""Rooms that were deleted, removed for good once nobody can bring them back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from accounts.audit import AuditEntry, record
from messaging.models import Attachment, Message
from messaging.sweeping import remove_files
from project.database import unhurried
from rooms.models import Event, Room

_AT_ONCE = 500


def purge_deleted_rooms() -> int:
    """Remove the rooms that were deleted longer ago than they can be restored; return how many. A server does it.

    Each is one transaction under its row lock; a room that another process is at is left to that one. What was done in
    the room stays in the audit log, and this with it.
    """
    over = Room.with_deleted.filter(deleted_at__lte=Now() - timedelta(days=settings.DELETED_ROOM_DAYS))
    return sum(_purge(over.filter(pk=pk)) for pk in list(over.values_list("pk", flat=True)))


def _purge(found: QuerySet[Room]) -> int:
    with unhurried():
        room = found.select_for_update(skip_locked=True).first()
        if room is None:
            return 0
        _remove_attachments(Attachment.objects.filter(room=room))
        # In portions, as what goes with each is looked for; what is not of a message at all comes after those.
        for rows in (Message.objects.filter(room=room), Event.objects.filter(room=room)):
            while some := list(rows.order_by("pk").values_list("pk", flat=True)[:_AT_ONCE]):
                rows.filter(pk__in=some).delete()
        found.delete()
        record(AuditEntry.Action.ROOM, actor=None, room=room.named, detail="purged")
        return 1


def _remove_attachments(attachments: QuerySet[Attachment]) -> None:
    """Remove rows, and once that is committed their files: what is left of those after a crash is swept away."""
    while keys := list(attachments.values_list("key", flat=True)[:_AT_ONCE]):
        attachments.filter(key__in=keys).delete()
        _remove_files_afterwards(keys)


def _remove_files_afterwards(keys: Sequence[str]) -> None:
    transaction.on_commit(lambda: remove_files(keys), robust=True)
