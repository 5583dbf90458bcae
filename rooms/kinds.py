"""What can happen in a room, as its log names it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class EventKind(models.TextChoices):
    MESSAGE_CREATED = "message_created", _("Message posted")
    MESSAGE_EDITED = "message_edited", _("Message edited")
    MESSAGE_DELETED = "message_deleted", _("Message deleted")
    MESSAGE_PINNED = "message_pinned", _("Message pinned")
    MESSAGE_UNPINNED = "message_unpinned", _("Message unpinned")
    REACTION_ADDED = "reaction_added", _("Reaction added")
    REACTION_REMOVED = "reaction_removed", _("Reaction removed")
    MEMBERSHIP_ADDED = "membership_added", _("Member joined")
    MEMBERSHIP_CHANGED = "membership_changed", _("Role changed")
    MEMBERSHIP_REMOVED = "membership_removed", _("Member left")
    ROOM_CHANGED = "room_changed", _("Room changed")
    ROOM_DELETED = "room_deleted", _("Room deleted")
