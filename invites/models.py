from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from rooms.models import Membership, Room

if TYPE_CHECKING:
    from accounts.models import User


def site_inviters() -> str:
    """Return whose invitations lead to an account: those of `members`, of `staff` or of `nobody`."""
    if settings.SIGNUP == "closed":
        return "nobody"
    return "members" if settings.SIGNUP == "open" else settings.INVITERS


class InviteQuerySet(models.QuerySet["Invite"]):
    def good(self) -> Self:
        """Those that still let somebody in, by the database's clock, and by the right that their makers have now."""
        site = {"members": Q(), "staff": Q(maker__is_staff=True), "nobody": Q(pk__in=[])}[site_inviters()]
        return self.filter(
            Q(max_uses=None) | Q(uses__lt=F("max_uses")),
            Exists(_open_rooms()) | (Q(is_for_site=True) & site),
            revoked_at=None,
            expires_at__gt=Now(),
            maker__is_active=True,
        )

    def manageable_by(self, user: User) -> Self:
        """Those that a person made, or that lead into a room that they own."""
        owned = Membership.objects.in_force().filter(user=user, role=Membership.Role.OWNER)
        into_owned = Invite.rooms.through.objects.filter(room__in=owned.values("room"))
        return self.filter(Q(maker=user) | Q(pk__in=into_owned.values("invite")))


def _open_rooms() -> models.QuerySet[models.Model]:
    """Return the rooms of an invitation, in a query about it, to which its maker may still invite."""
    inviting = Membership.objects.inviting().filter(user=OuterRef(OuterRef("maker")), room=OuterRef("room"))
    return Invite.rooms.through.objects.filter(
        Exists(inviting), invite=OuterRef("pk"), room__deleted_at=None, room__archived_at=None
    )


class Invite(models.Model):
    """A link that lets people in: to the site, and to the rooms that it names. Only its hash is kept.

    It is good for as long as its maker might let people in by hand (`invites.access`).
    """

    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    maker = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="invites", verbose_name=_("made by"), editable=False
    )
    label = models.CharField(_("label"), max_length=settings.INVITE_LABEL_MAX, blank=True)
    # To whom it was mailed. It is theirs to pass on.
    email = models.EmailField(_("email address"), blank=True)
    # To the site itself; else to the rooms alone, and without any that is left to nothing.
    is_for_site = models.BooleanField(_("for the site"), editable=False)
    rooms = models.ManyToManyField(Room, related_name="+", verbose_name=_("rooms"), blank=True)
    uses = models.PositiveIntegerField(_("used"), default=0, editable=False)
    # Without one it may be used any number of times.
    max_uses = models.PositiveIntegerField(_("use limit"), null=True, blank=True)
    created_at = models.DateTimeField(_("made"), db_default=Now(), editable=False)
    expires_at = models.DateTimeField(_("good until"))
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)

    objects: ClassVar[InviteQuerySet] = InviteQuerySet.as_manager()  # type: ignore[assignment]  # typed as a manager by the stubs

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = ("-pk",)
        constraints = (
            models.CheckConstraint(name="invite_used_within_its_limit", condition=Q(uses__lte=F("max_uses"))),
        )

    def __str__(self) -> str:
        return self.label or self.email or f"{self.created_at:%Y-%m-%d %H:%M}"
