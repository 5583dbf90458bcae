"""Who did what to whom, where, when, and from where: written with what was done, and never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from project.address import coarse_address

if TYPE_CHECKING:
    from accounts.models import User

NAME_MAX = 120
DETAIL_MAX = 500


class AuditEntry(models.Model):
    """The database refuses to change or delete one, so it refers to nothing that can be deleted: it has the names."""

    class Action(models.TextChoices):
        BANNED = "banned", _("banned from the room")
        UNBANNED = "unbanned", _("lifted the ban from the room")
        MUTED = "muted", _("muted")
        UNMUTED = "unmuted", _("lifted the mute")
        REMOVED = "removed", _("removed from the room")
        ROLE = "role", _("changed the role")
        ROOM = "room", _("changed the room")
        MESSAGE_DELETED = "message_deleted", _("deleted a message")
        MESSAGES_DELETED = "messages_deleted", _("deleted recent messages")
        REPORT = "report", _("decided on a report")
        RAID = "raid", _("switched the raid guard")
        REVIEW = "review", _("opened a private room for review")
        SITE_BANNED = "site_banned", _("banned from the site")
        SITE_UNBANNED = "site_unbanned", _("lifted the ban from the site")

    at = models.DateTimeField(_("when"), db_default=Now())
    action = models.CharField(_("what"), max_length=20, choices=Action)
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(_("who"), max_length=NAME_MAX)
    target_id = models.BigIntegerField(null=True)
    target_name = models.CharField(_("whom"), max_length=NAME_MAX, blank=True)
    room_id = models.BigIntegerField(null=True)
    room_name = models.CharField(_("room"), max_length=NAME_MAX, blank=True)
    # In words of ours, and reasons that were given; never what people wrote to each other.
    detail = models.CharField(_("details"), max_length=DETAIL_MAX, blank=True)
    address = models.CharField(_("from"), max_length=50, blank=True)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit log")
        ordering = ("-pk",)
        default_permissions = ("view",)
        indexes = (models.Index(fields=("room_id", "-id"), name="audit_room"),)

    def __str__(self) -> str:
        return f"{self.actor_name}: {self.get_action_display()}"


def record(
    action: AuditEntry.Action,
    *,
    actor: User | None,
    target: User | None = None,
    room: tuple[int, str] | None = None,
    detail: str = "",
) -> None:
    """Write an entry into the transaction of what it tells of. `room` is its id and name."""
    AuditEntry.objects.create(
        action=action,
        actor_id=actor.pk if actor else None,
        actor_name=_named(actor) if actor else "",
        target_id=target.pk if target else None,
        target_name=_named(target) if target else "",
        room_id=room[0] if room else None,
        room_name=room[1] if room else "",
        detail=detail[:DETAIL_MAX],
        address=coarse_address(),
    )


def _named(person: User) -> str:
    return f"{person.display_name} (@{person.username})"
