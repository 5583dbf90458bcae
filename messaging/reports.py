"""What people tell the moderators of a room about its messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from rooms.models import Membership


class ReportQuerySet(models.QuerySet["Report"]):
    def waiting(self) -> Self:
        return self.filter(decided_at=None)

    def readable_by(self, membership: Membership) -> Self:
        """Those of a member's room, about messages that the member can read."""
        return self.filter(room=membership.room, message__position__gt=membership.reads_after)


class Report(models.Model):
    class Outcome(models.TextChoices):
        DELETED = "deleted", _("The message was deleted")
        DISMISSED = "dismissed", _("Nothing was done")

    message = models.ForeignKey("Message", models.CASCADE, related_name="reports", verbose_name=_("message"))
    room = models.ForeignKey("rooms.Room", models.CASCADE, related_name="+", verbose_name=_("room"), db_index=False)
    reporter = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("reported by")
    )
    reason = models.CharField(_("reason"), max_length=settings.REPORT_REASON_MAX)
    created_at = models.DateTimeField(_("reported"), db_default=Now(), editable=False)
    decided_at = models.DateTimeField(_("decided"), null=True, editable=False)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("decided by")
    )
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome, blank=True, editable=False)

    objects: ClassVar[ReportQuerySet] = ReportQuerySet.as_manager()  # type: ignore[assignment]  # typed as a manager by the stubs

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        ordering = ("-pk",)
        constraints = (
            models.UniqueConstraint(
                fields=("message", "reporter"), condition=Q(decided_at=None), name="report_message_reporter_unique"
            ),
        )
        indexes = (models.Index(fields=("room",), condition=Q(decided_at=None), name="report_room_waiting"),)

    def __str__(self) -> str:
        return f"{self.pk}: {self.reason}"
