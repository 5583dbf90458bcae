"""What somebody may not do, in one room or in all of them, and until when."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from accounts.models import User

R = TypeVar("R", bound="Restriction")


class RestrictionQuerySet(models.QuerySet[R]):
    def in_force(self) -> Self:
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=Now()))


class Restriction(models.Model):
    """Lifting it deletes it."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="%(class)ss", verbose_name=_("person")
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by"))
    reason = models.CharField(_("reason"), max_length=settings.BAN_REASON_MAX, blank=True)
    created_at = models.DateTimeField(_("since"), db_default=Now(), editable=False)
    expires_at = models.DateTimeField(_("until"), null=True, blank=True)

    class Meta:
        abstract = True


class Ban(Restriction):
    """Closes a room to a person: they may neither enter it nor look into it."""

    room = models.ForeignKey("Room", models.CASCADE, related_name="bans", verbose_name=_("room"), db_index=False)

    objects: ClassVar[RestrictionQuerySet[Ban]] = RestrictionQuerySet.as_manager()  # type: ignore[assignment]  # typed as a manager by the stubs

    class Meta:
        verbose_name = _("ban")
        verbose_name_plural = _("bans")
        ordering = ("-pk",)
        constraints = (models.UniqueConstraint(fields=("room", "user"), name="ban_room_user_unique"),)

    def __str__(self) -> str:
        return f"{self.user}, {self.room}"


def barring(user: User) -> models.Exists:
    """Tell, of a room in a query, whether it is closed to a person by a ban in force."""
    return models.Exists(Ban.objects.in_force().filter(room=models.OuterRef("pk"), user=user))


class Mute(Restriction):
    """Lets a person read, not write: in one room, or, without one, in all of them."""

    room = models.ForeignKey(
        "Room", models.CASCADE, null=True, blank=True, related_name="mutes", verbose_name=_("room")
    )

    objects: ClassVar[RestrictionQuerySet[Mute]] = RestrictionQuerySet.as_manager()  # type: ignore[assignment]  # typed as a manager by the stubs

    class Meta:
        verbose_name = _("mute")
        verbose_name_plural = _("mutes")
        ordering = ("-pk",)
        constraints = (
            models.UniqueConstraint(fields=("user", "room"), name="mute_user_room_unique"),
            models.UniqueConstraint(fields=("user",), condition=Q(room=None), name="mute_user_everywhere_unique"),
        )

    def __str__(self) -> str:
        return f"{self.user}, {self.room or _('everywhere')}"


class Raid(models.Model):
    """While it lasts, people whose accounts are younger than `hours` can read, not write: in a room, or in all."""

    room = models.OneToOneField(
        "Room", models.CASCADE, null=True, blank=True, related_name="raid", verbose_name=_("room")
    )
    hours = models.PositiveSmallIntegerField(_("age of the account, in hours"), default=24)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by"))
    created_at = models.DateTimeField(_("since"), db_default=Now(), editable=False)
    expires_at = models.DateTimeField(_("until"))

    class Meta:
        verbose_name = _("raid switch")
        verbose_name_plural = _("raid switches")
        ordering = ("-pk",)
        constraints = (models.UniqueConstraint(models.Value(1), condition=Q(room=None), name="raid_everywhere_unique"),)

    def __str__(self) -> str:
        return f"{self.room or _('everywhere')}: {self.hours} h"


class ReviewQuerySet(models.QuerySet["Review"]):
    def open_for(self, user: User) -> Self:
        return self.filter(by=user, expires_at__gt=Now())


class Review(models.Model):
    """Opens the messages of a private room to one superuser, in the admin, for a while. The room is told."""

    room = models.ForeignKey("Room", models.CASCADE, related_name="reviews", verbose_name=_("room"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by"))
    reason = models.CharField(_("reason"), max_length=settings.BAN_REASON_MAX)
    created_at = models.DateTimeField(_("since"), db_default=Now(), editable=False)
    expires_at = models.DateTimeField(_("until"), editable=False)

    objects: ClassVar[ReviewQuerySet] = ReviewQuerySet.as_manager()  # type: ignore[assignment]  # typed as a manager by the stubs

    class Meta:
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.room}, {self.by}"
