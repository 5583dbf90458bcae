"""Who runs a room when its owners are kept from it: no room that anybody is in is left without."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Case, QuerySet, Value, When

from accounts.models import User
from rooms import actions, log
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
            _find_owner(log.lock(membership.room), actor=actor, besides=person)


def step_down(person: User, *, actor: User) -> None:
    """Have somebody run no room any more, before they become a guest; a room in which nobody else is stays theirs.

    Each room that nobody else could run is handed over first. Takes the row locks of all rooms that they run, by their
    ids. Publishes `membership_changed` for each who got another role.
    """
    with transaction.atomic():
        run = person.memberships.in_force().exclude(role=Role.MEMBER).select_related("room").order_by("room")
        for membership in list(run):
            room = log.lock(membership.room)
            _find_owner(room, actor=actor, besides=person)
            if membership.role == Role.MODERATOR or _able(room, besides=person).filter(role=Role.OWNER).exists():
                change_role(membership, role=Role.MEMBER, actor=actor)


def undelete_room(room: Room, *, actor: User) -> Room:
    """Bring a deleted room back as `actions.undelete_room` does, with an owner: its own may be gone meanwhile.

    Publishes `membership_changed` where somebody became one.
    """
    with transaction.atomic():
        room = actions.undelete_room(room, actor=actor)
        _find_owner(room, actor=actor)
        return room


def _find_owner(room: Room, *, actor: User, besides: User | None = None) -> None:
    if heir := _heir(room, besides):
        change_role(heir, role=Role.OWNER, actor=actor)


def _heir(room: Room, besides: User | None) -> Membership | None:
    """Return who is to run a room instead of its owner; nobody if another owner can."""
    able = _able(room, besides)
    if able.filter(role=Role.OWNER).exists():
        return None
    rank = Case(When(role=Role.MODERATOR, then=Value(0)), default=Value(1))
    return able.select_related("room", "user").order_by(rank, "pk").first()


def _able(room: Room, besides: User | None) -> QuerySet[Membership]:
    return Membership.objects.filter(room=room, user__is_active=True, user__is_guest=False).exclude(user=besides)
