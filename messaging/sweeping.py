"""Files that nothing refers to any more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db.models.functions import Now

from accounts.models import User
from messaging.models import Attachment
from project.files import store

_SWEPT_AT_ONCE = 500


def sweep() -> int:
    """Remove files that were never posted, those of deleted messages, and those that no row knows; return how many.

    Rows first, so that no row ever names a file that is gone.
    """
    removed = 0
    life = timedelta(seconds=settings.UPLOAD_LIFE_SECONDS)
    unposted = Attachment.objects.unposted().filter(created_at__lt=Now() - life)
    for doomed in (unposted, Attachment.objects.filter(message__deleted_at__isnull=False)):
        while keys := list(doomed.values_list("key", flat=True)[:_SWEPT_AT_ONCE]):
            # The condition on the row itself: one that is being posted is looked at again once that is committed.
            doomed.filter(key__in=keys).delete()
            removed += remove_files(keys)
    old = sorted(set(store.kept_keys(settings.UPLOAD_LIFE_SECONDS)))
    for start in range(0, len(old), _SWEPT_AT_ONCE):
        removed += remove_files(old[start : start + _SWEPT_AT_ONCE])
    store.discard(*store.abandoned(settings.UPLOAD_LIFE_SECONDS))
    return removed


def remove_files(keys: Sequence[str]) -> int:
    """Remove those of these files that nothing refers to; return how many."""
    known = set(Attachment.objects.filter(key__in=keys).values_list("key", flat=True))
    known |= set(User.objects.filter(avatar_key__in=keys).values_list("avatar_key", flat=True))
    unknown = set(keys) - known
    for key in unknown:
        store.remove(key)
    return len(unknown)
