"""The doors to a room. Every view gets its room through one of these: 404 for what one may not know of, 403 for what
one may know of but not do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _

from rooms.membership_reading import membership_of
from rooms.models import Ban, Membership, Room

if TYPE_CHECKING:
    from accounts.models import User


def visible_room(user: User, slug: str) -> tuple[Room, Membership | None]:
    """Return a room that the person may read, and their membership if they have one."""
    membership = membership_of(user, slug)
    if membership:
        return membership.room, membership
    room = Room.objects.visible_to(user).filter(slug=slug).first()
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
    """Return somebody whom the person may ban: whom they may remove, but no owner, and not themselves."""
    theirs = removable_member(mine, username)
    if theirs.is_owner or theirs.pk == mine.pk:
        raise PermissionDenied(_("Owners can't be banned, and nobody bans themselves."))
    return theirs


def banned_person(mine: Membership, username: str) -> Ban:
    """Return the ban of somebody from the same room; who is not banned from it is not found."""
    if "\0" in username:
        raise Http404
    ban = mine.room.bans.in_force().select_related("user", "room").filter(user__username=username.lower()).first()
    if ban is None:
        raise Http404
    return ban
