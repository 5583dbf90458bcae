"""Emoji on messages. Each action is one transaction and appends to the room's log."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from messaging.models import Message, Reaction
from rooms import access, log
from rooms.models import Event, Membership, Room


def add_reaction(message: Message, *, emoji: str, actor: User) -> Message:
    """Put an emoji on a message, under its room's row lock; publishes `reaction_added`. Twice is once.

    Raises `PermissionDenied` when the actor is no member or the room is archived, and `ValidationError` for a deleted
    message, or one that has REACTIONS_PER_MESSAGE others.
    """
    with transaction.atomic():
        room, message = _locked(message, actor)
        if message.is_deleted:
            raise ValidationError(_("This message was deleted."), code="deleted")
        _refuse_too_many(message, emoji)
        _reaction, created = Reaction.objects.get_or_create(message=message, user=actor, emoji=emoji)
        return _logged(room, message, Event.Kind.REACTION_ADDED, actor) if created else message


def remove_reaction(message: Message, *, emoji: str, actor: User) -> Message:
    """Take the actor's emoji off again, under the room's row lock; publishes `reaction_removed` if it was there."""
    with transaction.atomic():
        room, message = _locked(message, actor)
        removed, _rows = Reaction.objects.filter(message=message, user=actor, emoji=emoji).delete()
        return _logged(room, message, Event.Kind.REACTION_REMOVED, actor) if removed else message


def _locked(message: Message, actor: User) -> tuple[Room, Message]:
    room = log.lock(message.room)
    membership = Membership.objects.filter(room=room, user=actor).first()
    if membership is None:
        raise PermissionDenied(_("Join this room first."))
    membership.room, membership.user = room, actor
    access.refuse_reacting(membership)
    return room, Message.objects.with_people().get(pk=message.pk)


def _refuse_too_many(message: Message, emoji: str) -> None:
    shown = {each.emoji for each in message.reacted}
    if emoji not in shown and len(shown) >= settings.REACTIONS_PER_MESSAGE:
        raise ValidationError(_("This message has as many different reactions as it can have."), code="too_many")


def _logged(room: Room, message: Message, kind: Event.Kind, actor: User) -> Message:
    log.append(room, kind, actor=actor, message_id=message.pk)
    return Message.objects.with_people().get(pk=message.pk)
