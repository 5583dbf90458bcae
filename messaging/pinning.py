"""Messages pinned to their rooms. Each action is one transaction and appends to the room's log."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts.models import User
from messaging.models import Message
from rooms import access, log
from rooms.models import Event, Membership, Room


def pin_message(message: Message, *, actor: User) -> Message:
    """Pin a message to its room, under the room's row lock; publishes `message_pinned`. Twice is once.

    Raises `PermissionDenied` when the actor may not, and `ValidationError` for a deleted message, or where
    PINS_PER_ROOM others are pinned.
    """
    with transaction.atomic():
        room, message = _locked(message, actor)
        if message.is_deleted:
            raise ValidationError(_("This message was deleted."), code="deleted")
        if not message.is_pinned:
            _refuse_too_many(room)
            Message.objects.filter(pk=message.pk).update(pinned_at=Now())
            message.refresh_from_db(fields=["pinned_at"])
            log.append(room, Event.Kind.MESSAGE_PINNED, actor=actor, message_id=message.pk)
        return message


def unpin_message(message: Message, *, actor: User) -> Message:
    """Take a message down again, under its room's row lock; publishes `message_unpinned` if it was pinned.

    Raises `PermissionDenied` when the actor may not.
    """
    with transaction.atomic():
        room, message = _locked(message, actor)
        if message.is_pinned:
            Message.objects.filter(pk=message.pk).update(pinned_at=None)
            message.pinned_at = None
            log.append(room, Event.Kind.MESSAGE_UNPINNED, actor=actor, message_id=message.pk)
        return message


def _locked(message: Message, actor: User) -> tuple[Room, Message]:
    room = log.lock(message.room)
    membership = Membership.objects.filter(room=room, user=actor).first()
    if membership is None:
        raise PermissionDenied(_("Join this room first."))
    membership.room, membership.user = room, actor
    access.refuse_pinning(membership)
    return room, Message.objects.with_people().get(pk=message.pk)


def _refuse_too_many(room: Room) -> None:
    limit = settings.PINS_PER_ROOM
    if Message.objects.filter(room=room, pinned_at__isnull=False).count() >= limit:
        sentence = _("This room has %(limit)d pinned messages, as many as it can have. Unpin one of them first.")
        raise ValidationError(sentence % {"limit": limit}, code="too_many")
