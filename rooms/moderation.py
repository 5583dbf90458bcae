"""What moderators do about people in their rooms, and managers in all. Each action is one transaction."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import AuditEntry, record
from accounts.models import User
from rooms import log
from rooms.filters import cleaned
from rooms.models import Ban, Event, Membership, Mute, Raid, Review, Room, WordFilter

Action = AuditEntry.Action
REVIEW_LASTS = timedelta(hours=1)


def ban(room: Room, *, user: User, reason: str, expires_at: datetime | None, actor: User) -> Ban:
    """Keep somebody out of a room until then, or for good, under its row lock; an earlier ban is replaced.

    If they were a member this publishes `membership_removed`, at which their streams end. The caller has checked that
    the actor may. Raises `ValidationError` for an owner of the room, and for the actor.
    """
    with transaction.atomic():
        room = log.lock(room)
        membership = _lesser_membership(room, user, actor)
        made, _created = Ban.objects.update_or_create(room=room, user=user, defaults=_terms(actor, reason, expires_at))
        if membership:
            membership.delete()
            log.append(room, Event.Kind.MEMBERSHIP_REMOVED, actor=actor, member=user)
        record(Action.BANNED, actor=actor, target=user, room=room.named, detail=reason)
        return made


def lift_ban(ban: Ban, *, actor: User) -> None:
    """Let somebody enter the room again, under its row lock. Nobody is told: they have to come by themselves."""
    with transaction.atomic():
        log.lock(ban.room)
        if Ban.objects.filter(pk=ban.pk).delete()[0]:
            record(Action.UNBANNED, actor=actor, target=ban.user, room=ban.room.named)


def mute(room: Room, *, user: User, reason: str, expires_at: datetime | None, actor: User) -> Mute:
    """Have somebody only read in a room until then, or for good, under its row lock; an earlier mute is replaced.

    Publishes `membership_changed` if they are a member. Raises `ValidationError` as `ban` does.
    """
    with transaction.atomic():
        room = log.lock(room)
        membership = _lesser_membership(room, user, actor)
        made, _created = Mute.objects.update_or_create(room=room, user=user, defaults=_terms(actor, reason, expires_at))
        if membership:
            log.append(room, Event.Kind.MEMBERSHIP_CHANGED, actor=actor, member=user, change="muted")
        record(Action.MUTED, actor=actor, target=user, room=room.named, detail=reason)
        return made


def mute_everywhere(*, user: User, reason: str, expires_at: datetime | None, actor: User) -> Mute:
    """Have somebody only read, in all rooms; an earlier such mute is replaced. Takes no lock, publishes nothing.

    Raises `ValidationError` for the actor, and for staff.
    """
    if user == actor or user.is_staff or user.is_superuser:
        raise ValidationError(_("You may not mute this person."), code="rank")
    with transaction.atomic():
        made, _created = Mute.objects.update_or_create(room=None, user=user, defaults=_terms(actor, reason, expires_at))
        record(Action.MUTED, actor=actor, target=user, detail=reason)
        return made


def lift_mute(mute: Mute, *, actor: User) -> None:
    """Let somebody write again, under the room's row lock; publishes `membership_changed` if they are a member."""
    with transaction.atomic():
        room = log.lock(mute.room) if mute.room else None
        if not Mute.objects.filter(pk=mute.pk).delete()[0]:
            return
        if room and Membership.objects.filter(room=room, user=mute.user).exists():
            log.append(room, Event.Kind.MEMBERSHIP_CHANGED, actor=actor, member=mute.user, change="unmuted")
        record(Action.UNMUTED, actor=actor, target=mute.user, room=room.named if room else None)


def guard_against_raid(room: Room | None, *, hours: int, expires_at: datetime, actor: User) -> Raid:
    """Have accounts younger than `hours` only read until then, in a room, under its row lock, or (None) in all.

    In a room this publishes `room_changed`.
    """
    with transaction.atomic():
        room = log.lock(room) if room else None
        terms = {"hours": hours, "expires_at": expires_at, "by": actor, "created_at": timezone.now()}
        made, _created = Raid.objects.update_or_create(room=room, defaults=terms)
        if room:
            log.append(room, Event.Kind.ROOM_CHANGED, actor=actor, change="raid")
        record(Action.RAID, actor=actor, room=room.named if room else None, detail=f"{hours} h")
        return made


def end_raid(raid: Raid, *, actor: User) -> None:
    """Let new accounts write again, under the room's row lock; in a room this publishes `room_changed`."""
    with transaction.atomic():
        room = log.lock(raid.room) if raid.room else None
        if not Raid.objects.filter(pk=raid.pk).delete()[0]:
            return
        if room:
            log.append(room, Event.Kind.ROOM_CHANGED, actor=actor, change="no_raid")
        record(Action.RAID, actor=actor, room=room.named if room else None, detail="0 h")


def set_word_filter(room: Room | None, *, words: str, actor: User) -> None:
    """Give a room, or (None) the site, another list of what is not let through; an empty one removes it. No event."""
    with transaction.atomic():
        room = log.lock(room) if room else None
        words = cleaned(words)
        if words:
            WordFilter.objects.update_or_create(room=room, defaults={"words": words})
        else:
            WordFilter.objects.filter(room=room).delete()
        count = len(words.splitlines())
        record(Action.ROOM, actor=actor, room=room.named if room else None, detail=f"word filter: {count}")


def open_for_review(room: Room, *, reason: str, actor: User) -> Review:
    """Let a superuser read a private room's messages in the admin for an hour, under its row lock.

    Publishes `room_changed`: its members see that, and by whom. Raises `ValidationError` for a public room, which needs
    none, and for anybody else.
    """
    if not actor.is_superuser:
        raise ValidationError(_("Only superusers may do this."), code="rank")
    with transaction.atomic():
        room = log.lock(room)
        if room.is_public:
            raise ValidationError(_("The messages of public rooms are in the list already."), code="public")
        until = timezone.now() + REVIEW_LASTS
        made = Review.objects.create(room=room, by=actor, reason=reason, expires_at=until)
        log.append(room, Event.Kind.ROOM_CHANGED, actor=actor, change="review")
        record(Action.REVIEW, actor=actor, room=room.named, detail=reason)
        return made


def _terms(actor: User, reason: str, expires_at: datetime | None) -> dict[str, object]:
    return {"by": actor, "reason": reason, "expires_at": expires_at, "created_at": timezone.now()}


def _lesser_membership(room: Room, user: User, actor: User) -> Membership | None:
    """Return the membership of somebody about whom something may be done at all."""
    membership = Membership.objects.filter(room=room, user=user).first()
    if user == actor or (membership and membership.is_owner):
        raise ValidationError(_("Not owners, and not yourself: nobody can do that."), code="owner")
    return membership
