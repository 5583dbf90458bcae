"""All that changes invitations."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.http import Http404

from accounts.models import User
from invites import access
from invites.models import Invite
from rooms import log
from rooms.access import BANNED
from rooms.actions import add_member
from rooms.models import Ban, Membership, Room

_TOKEN_BYTES = 24


def make_invite(
    *, rooms: Sequence[Room], lasts: timedelta, max_uses: int | None, actor: User, label: str = "", email: str = ""
) -> tuple[Invite, str]:
    """Make an invitation, and return it with its token, which is kept nowhere. No lock, no event.

    The caller has checked that the actor may invite to each of the rooms, or without any to the site.
    """
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    with transaction.atomic():
        invite = Invite.objects.create(
            token_hash=access.hash_of(token),
            maker=actor,
            label=label,
            email=email,
            max_uses=max_uses,
            expires_at=Now() + lasts,
            is_for_site=not rooms,
        )
        invite.rooms.set(rooms)
        invite.refresh_from_db(fields=["created_at", "expires_at"])
    return invite, token


def revoke_invite(invite: Invite) -> None:
    """Have an invitation be good for nothing any more. Done twice it changes nothing."""
    Invite.objects.filter(pk=invite.pk, revoked_at=None).update(revoked_at=Now())


def accept_invite(token_hash: str, *, actor: User, is_new: bool = False) -> Sequence[Room]:
    """Let the actor into the rooms of an invitation, and return those; publishes `membership_added` in each.

    Takes the invitation's row lock, then those of its rooms by their ids: however many come at once, no more get in
    than its limit says. It counts as used if it let the actor in somewhere: to a room, or, if they are new, to the
    site. Raises `Http404` when it is good no more, and `PermissionDenied` for somebody banned from all of its rooms.
    """
    with transaction.atomic():
        invite = Invite.objects.select_for_update(of=("self",), no_key=True).filter(token_hash=token_hash).first()
        if invite is None:
            raise Http404
        for room in invite.rooms.order_by("pk"):
            log.lock_even_deleted(room)  # from here on nobody's role in it changes
        invite = access.good_invite(token_hash)
        rooms = access.open_rooms(invite)
        entered = _enter(rooms, actor, invite.maker)
        if entered or is_new:
            Invite.objects.filter(pk=invite.pk).update(uses=F("uses") + 1)
        return rooms


def _enter(rooms: Sequence[Room], actor: User, maker: User) -> Sequence[Room]:
    banned = set(Ban.objects.in_force().filter(room__in=rooms, user=actor).values_list("room", flat=True))
    if rooms and len(banned) == len(rooms):
        raise PermissionDenied(BANNED)
    inside = set(Membership.objects.filter(room__in=rooms, user=actor).values_list("room", flat=True))
    entered = [room for room in rooms if room.pk not in banned | inside]
    for room in entered:
        add_member(room, member=actor, actor=maker)
    return entered
