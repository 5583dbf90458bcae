"""The beginnings of a database, and of a site."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models.functions import Now


class Epoch(models.Model):
    """One life of the database. A restore begins another, so that cursors from before it are not believed."""

    value = models.UUIDField(default=uuid.uuid4, unique=True)
    began_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return str(self.value)

    @classmethod
    def current(cls) -> str:
        """Return the current epoch's UUID as 32 hexadecimal digits; the first call on a new database begins one."""
        epoch = cls.objects.first() or cls.objects.create()
        return epoch.value.hex


class OwnerLink(models.Model):
    """The link that makes the first owner of the site. Only its hash is kept; using it deletes it."""

    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"owner link of {self.created_at:%Y-%m-%d %H:%M}"
