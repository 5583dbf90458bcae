"""What members of a room are to it, and which of them may do what the others may not."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    OWNER = "owner", _("Owner")
    MODERATOR = "moderator", _("Moderator")
    MEMBER = "member", _("Member")


RANKS: dict[str, int] = {Role.MEMBER: 0, Role.MODERATOR: 1, Role.OWNER: 2}


def rank_field(name: Any, default: Role) -> models.CharField[str, str]:
    """Return a field for the lowest of the roles that may do something."""
    return models.CharField(name, max_length=10, choices=Role, default=default, db_default=default)
