"""The doors to a room. Every view gets its room through one of these: 404 for what one may not know of, 403 for what
one may know of but not do."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.db.models.functions import Now
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.formats import date_format
from django.utils.timezone import localtime, now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rooms.membership_reading import membership_of
from rooms.models import Ban, Membership, Mute, Raid, Role, Room
from rooms.restrictions import R, RestrictionQuerySet

if TYPE_CHECKING:
    from accounts.models import User

BANNED = gettext_lazy("You are banned from this room. Its moderators can lift the ban.")


def visible_room(user: User, slug: str) -> tuple[Room, Membership | None]:
    """Return a room that the person may read, and their membership if they have one.

    It is closed to whoever is banned from it: they know of it, if it is public, and read nothing of it.
    """
    membership = membership_of(user, slug)
    if membership:
        membership.room.readable_after = membership.reads_after
        return membership.room, membership
    room = Room.objects.readable_by(user).filter(slug=slug).first()
    if room is None and Room.objects.visible_to(user).filter(slug=slug).exists():
        raise PermissionDenied(BANNED)
    if room is None:
        raise Http404
    return room, None


def joined_room(user: User, slug: str) -> Membership:
    """Return the person's membership, its room fetched with it in the same snapshot."""
    _room, membership = visible_room(user, slug)
    if membership is None:
        raise PermissionDenied(_("Join this room first."))
    return membership


def moderated_room(user: User, slug: str) -> Membership:
    membership = joined_room(user, slug)
    if not membership.is_moderator:
        raise PermissionDenied(_("Only this room's owners and moderators may do this."))
    return membership


def owned_room(user: User, slug: str) -> Membership:
    membership = joined_room(user, slug)
    if not membership.is_owner:
        raise PermissionDenied(_("Only this room's owners may do this."))
    return membership


def refuse_guest(user: User) -> None:
    if user.is_guest:
        raise PermissionDenied(_("Guests can't make rooms."))


def inviting_room(user: User, slug: str) -> Membership:
    """Return the membership of somebody who may add people to a room."""
    membership = joined_room(user, slug)
    if not may_invite(membership):
        raise PermissionDenied(_("You may not add people to this room."))
    return membership


def may_invite(membership: Membership) -> bool:
    return membership.reaches(membership.room.who_invites) and not membership.user.is_guest


def may_call_all(membership: Membership) -> bool:
    return membership.reaches(membership.room.who_calls_all)


def pinning_room(user: User, slug: str) -> Membership:
    """Return the membership of somebody who may pin messages in a room."""
    membership = joined_room(user, slug)
    refuse_pinning(membership)
    return membership


def refuse_pinning(membership: Membership) -> None:
    """Raise `PermissionDenied` for whoever may not pin messages, nor take them down, with a sentence that says why."""
    if refusal := pinning_refusal(membership):
        raise PermissionDenied(refusal)


def pinning_refusal(membership: Membership) -> str | None:
    """Return why somebody may not pin messages now, or None. Who writes and who pins are decided apart."""
    if membership.room.is_archived:
        return _("This room is archived: it can be read, not changed.")
    if not membership.reaches(membership.room.who_pins):
        return _("You may not pin messages in this room.")
    return silence(membership)


def refuse_writing(membership: Membership) -> None:
    """Raise `PermissionDenied` for whoever may not write in a room now, with a sentence that says why."""
    if refusal := writing_refusal(membership):
        raise PermissionDenied(refusal)


def writing_refusal(membership: Membership) -> str | None:
    """Return why somebody may not write in a room now, or None. `messaging.posting` asks the same in SQL."""
    room = membership.room
    if room.is_archived:
        return _("This room is archived: it can be read, not changed.")
    if not membership.reaches(room.who_posts):
        by_role = {
            Role.MODERATOR: _("Only this room's owners and moderators write here."),
            Role.OWNER: _("Only this room's owners write here."),
        }
        return by_role[Role(room.who_posts)]
    return silence(membership)


def refuse_reacting(membership: Membership) -> None:
    """Raise `PermissionDenied` for whoever may do nothing about others' messages: also where few write, all react."""
    if membership.room.is_archived:
        raise PermissionDenied(_("This room is archived: it can be read, not changed."))
    if refusal := silence(membership):
        raise PermissionDenied(refusal)


def silence(membership: Membership) -> str | None:
    """Return why somebody may only read, in this room or everywhere, or None."""
    here_or_everywhere = Q(room=membership.room) | Q(room=None)
    mute = Mute.objects.in_force().filter(here_or_everywhere, user=membership.user).first()
    if mute and mute.expires_at:
        until = date_format(localtime(mute.expires_at), "DATETIME_FORMAT")
        return _("You can read here, but not write (until %(time)s).") % {"time": until}
    if mute:
        return _("You can read here, but not write.")
    if membership.is_moderator:
        return None
    age = now() - membership.user.date_joined
    raids = Raid.objects.filter(here_or_everywhere, expires_at__gt=Now())
    if any(age < timedelta(hours=raid.hours) for raid in raids):
        return _("New accounts can't write here for a while.")
    return None


def other_member(mine: Membership, username: str) -> Membership:
    """Return the membership of somebody in the same room; who is not in it is not found."""
    if "\0" in username:  # PostgreSQL would refuse the question
        raise Http404
    theirs = mine.room.memberships.select_related("user", "room").filter(user__username=username.lower()).first()
    if theirs is None:
        raise Http404
    return theirs


def removable_member(mine: Membership, username: str) -> Membership:
    """Return somebody whom the person may remove: moderators remove members, owners remove anybody."""
    theirs = other_member(mine, username)
    if theirs.is_moderator and not mine.is_owner:
        raise PermissionDenied(_("Only an owner may remove owners and moderators."))
    return theirs


def bannable_member(mine: Membership, username: str) -> Membership:
    """Return somebody whom the person may ban or mute: whom they may remove, but no owner, and not themselves."""
    theirs = removable_member(mine, username)
    if theirs.is_owner or theirs.pk == mine.pk:
        raise PermissionDenied(_("Not owners, and not yourself: nobody can do that."))
    return theirs


def banned_person(mine: Membership, username: str) -> Ban:
    """Return the ban of somebody from the same room; who is not banned from it is not found."""
    return _restriction(Ban.objects.in_force(), mine, username)


def muted_person(mine: Membership, username: str) -> Mute:
    """Return the mute of somebody in the same room, if it could have been made by the person.

    Who is not muted in it is not found.
    """
    found = _restriction(Mute.objects.in_force(), mine, username)
    theirs = mine.room.memberships.filter(user=found.user).first()  # they may have left
    if theirs and theirs.is_moderator and not (mine.is_owner and theirs.pk != mine.pk):
        raise PermissionDenied(_("Only an owner may let a moderator write again."))
    return found


def _restriction(in_force: RestrictionQuerySet[R], mine: Membership, username: str) -> R:
    if "\0" in username:
        raise Http404
    found = in_force.filter(room=mine.room, user__username=username.lower())
    return get_object_or_404(found.select_related("user", "room"))


def guarded_room(mine: Membership) -> Raid:
    """Return the raid guard of a room; one that is not switched on is not found."""
    return get_object_or_404(Raid.objects.select_related("room"), room=mine.room)
