"""Leaving the site: at once for everybody to see, and then, as a chore, for good."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from accounts import actions as accounts
from accounts.models import Closing, User
from messaging.actions import delete_message
from messaging.models import Mention, Message, MessageRevision, Reaction
from project.database import unhurried
from rooms.actions import remove_member
from rooms.models import Membership, Room

_AT_ONCE = 100


def rooms_left_alone(user: User) -> Sequence[Room]:
    """Return the rooms that nobody would own without this person."""
    others = Membership.objects.filter(room=OuterRef("room"), role=Membership.Role.OWNER, user__is_active=True)
    others = others.exclude(user=user)
    owned = Membership.objects.in_force().filter(user=user, role=Membership.Role.OWNER).select_related("room")
    return [each.room for each in owned.exclude(Exists(others)).order_by("room__name")]


def close_account(user: User, *, takes_messages: bool) -> None:
    """Take a person out of all rooms and off the site, under the row locks of the rooms, by their ids.

    Publishes `membership_removed` in each, at which their streams there end; the others end with the sessions. What is
    left of them is removed by `finish_leaving`. Raises `ValidationError`, and then nothing has happened, for the only
    owner of a room or of the site.
    """
    with transaction.atomic():
        for membership in user.memberships.in_force().select_related("room", "user").order_by("room"):
            remove_member(membership, actor=user)
        accounts.close_account(user, takes_messages=takes_messages)


def finish_leaving() -> int:
    """Remove for good whoever has left the site, and return how many. Done twice it does no harm."""
    closings = list(Closing.objects.select_related("user").order_by("pk"))
    for closing in closings:
        if closing.takes_messages:
            _delete_messages(closing.user)
        with unhurried():  # the events that name them have no index by person
            accounts.forget_person(closing.user)
    return len(closings)


def _delete_messages(user: User) -> None:
    mine = Message.objects.filter(author=user, deleted_at=None)
    shown = mine.filter(room__deleted_at=None).order_by("pk")
    while some := list(shown[:_AT_ONCE]):
        for message in some:
            delete_message(message, actor=user)
    # The log of a deleted room has ended. If it is restored, these are shown as they are then.
    for belonging in (MessageRevision, Reaction, Mention):
        belonging._default_manager.filter(message__in=mine).delete()
    mine.update(text="", html="", deleted_at=Now(), pinned_at=None)
