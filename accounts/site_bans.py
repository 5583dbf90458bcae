"""Keeping people out of the whole site. Each action is one transaction."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.actions import hand_over_rooms, sign_out_everywhere
from accounts.audit import AuditEntry, record
from accounts.models import SiteBan, User


def ban_from_site(user: User, *, reason: str, expires_at: datetime | None, actor: User) -> SiteBan:
    """Close somebody's account until then, or for good: their sessions and streams end, and they can't sign in.

    An earlier ban is replaced. Rooms that nobody else could run get another owner. Raises `ValidationError` for the
    actor, and for staff unless a superuser does it.
    """
    if user == actor or user.is_superuser or (user.is_staff and not actor.is_superuser):
        raise ValidationError(_("You may not ban this person."), code="rank")
    with transaction.atomic():
        hand_over_rooms(user, actor=actor)
        terms = {"by": actor, "reason": reason, "expires_at": expires_at, "created_at": timezone.now()}
        first = {**terms, "was_active": User.objects.select_for_update(no_key=True).get(pk=user.pk).is_active}
        made, _created = SiteBan.objects.update_or_create(user=user, defaults=terms, create_defaults=first)
        user.is_active = False
        user.save(update_fields=["is_active"])
        sign_out_everywhere([user])
        record(AuditEntry.Action.SITE_BANNED, actor=actor, target=user, detail=reason)
        return made


def lift_site_ban(ban: SiteBan, *, actor: User | None) -> None:
    """Let somebody sign in again, unless their account was closed before. Done twice it changes nothing."""
    with transaction.atomic():
        if SiteBan.objects.filter(pk=ban.pk).delete()[0]:
            if ban.was_active:
                User.objects.filter(pk=ban.user_id).update(is_active=True)
            record(AuditEntry.Action.SITE_UNBANNED, actor=actor, target=ban.user)


def lift_what_is_over() -> int:
    """Lift the bans that have run out; return how many. A server does it by itself."""
    over = list(SiteBan.objects.filter(expires_at__lte=Now()).select_related("user"))
    for ban in over:
        lift_site_ban(ban, actor=None)
    return len(over)
