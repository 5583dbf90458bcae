"""Who may invite, and which invitations are good. There is one answer for all that are not: they are not found."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.http import Http404

from invites.models import Invite, site_inviters
from rooms.models import Membership, Room

if TYPE_CHECKING:
    from accounts.models import User


def hash_of(token: str) -> str:
    # The token has 192 random bits: a fast hash keeps it from being read out of the table.
    return hashlib.sha256(token.encode()).hexdigest()


def may_invite_to_site(user: User) -> bool:
    """Whether a person's invitations let people sign up."""
    inviters = site_inviters()
    return user.is_active and not user.is_guest and (inviters == "members" or (inviters == "staff" and user.is_staff))


def inviting_rooms(user: User) -> Sequence[Room]:
    """Return the rooms to which a person may invite others."""
    mine = Membership.objects.inviting().filter(user=user)
    return list(Room.objects.current().filter(pk__in=mine.values("room")))


def good_invite(token_hash: str) -> Invite:
    """Return an invitation that still lets somebody in; whatever is wrong with another, it is not found."""
    invite = Invite.objects.good().select_related("maker").filter(token_hash=token_hash).first()
    if invite is None:
        raise Http404
    return invite


def lets_sign_up(invite: Invite) -> bool:
    return may_invite_to_site(invite.maker)


def open_rooms(invite: Invite) -> Sequence[Room]:
    """Return the rooms that the invitation names and to which its maker may still invite."""
    named = set(invite.rooms.values_list("pk", flat=True))
    return [room for room in inviting_rooms(invite.maker) if room.pk in named]


def manageable_invite(user: User, pk: int) -> Invite:
    invite = Invite.objects.manageable_by(user).filter(pk=pk).first()
    if invite is None:
        raise Http404
    return invite
