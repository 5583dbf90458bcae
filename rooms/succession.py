"""Who runs a room when its owners are kept from it: no room that anybody is in is left without."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Case, Value, When

from accounts.models import User
from rooms import log
from rooms.actions import change_role
from rooms.models import Membership, Role, Room


def hand_over(person: User, *, actor: User) -> None:
    """Make somebody else an owner too of each room that nobody but this person could run, before they are shut out.

    That is who has been a moderator for longest, or else a member. The person stays an owner, for when they come back;
    a room in which nobody else is waits for them. Takes the row locks of all rooms that they own, by their ids:
    the caller closes the account in the same transaction, so that of two owners at once each sees the other go.
    Publishes `membership_changed` where somebody became an owner.
    """
    with transaction.atomic():
        owned = person.memberships.in_force().filter(role=Role.OWNER).select_related("room").order_by("room")
        for membership in list(owned):
            room = log.lock(membership.room)
            if heir := _heir(room, person):
                change_role(heir, role=Role.OWNER, actor=actor)


def _heir(room: Room, person: User) -> Membership | None:
    """Return who is to run a room instead of its owner; nobody if another owner can."""
    able = Membership.objects.filter(room=room, user__is_active=True, user__is_guest=False).exclude(user=person)
    if able.filter(role=Role.OWNER).exists():
        return None
    rank = Case(When(role=Role.MODERATOR, then=Value(0)), default=Value(1))
    return able.select_related("room", "user").order_by(rank, "pk").first()
