"""All that changes messages. Each action is one transaction and appends to the room's log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts.models import User
from messaging import markup, mentions, posting, typing, uploading
from messaging.attachments import attached_to
from messaging.models import Message
from project.realtime.notify import ephemeral, publish
from rooms import log
from rooms.models import Event, Membership, Room


class ClientIdConflictError(Exception):
    """A `client_id` that stands for another message already."""


class Posted(NamedTuple):
    message: Message
    created: bool


def post_message(
    room: Room,
    *,
    author: User,
    text: str,
    client_id: UUID,
    reply_to: Message | None = None,
    attachments: Sequence[str] = (),
) -> Posted:
    """Post a message, once for each (author, client_id), under the room's row lock; publishes `message_created`.

    `attachments` are keys of files that the author sent into this room. Raises `PermissionDenied` when the author is no
    member by then, `ValidationError` for a file that is not there to be posted, and `ClientIdConflictError` when the id
    was used for another text, room or file.
    """
    known = mentions.known_in(text, room=room, author=author)
    html = markup.render(text, known.names) if text else ""  # may take tens of milliseconds: before the lock
    try:
        with transaction.atomic():
            posting.lock(room.pk)
            row = posting.insert(
                room.pk,
                author_id=author.pk,
                client_id=client_id,
                text=text,
                html=html,
                reply_to_id=reply_to.pk if reply_to else None,
                files=len(attachments),
            )
            if row is None:
                earlier = _posted_before(room, author=author, text=text, client_id=client_id, attachments=attachments)
                return Posted(earlier, created=False)
            if attachments:
                uploading.attach(attachments, room_id=room.pk, author_id=author.pk, message_id=row.id)
            message = Message(
                pk=row.id,
                room=room,
                position=row.position,
                author=author,
                client_id=client_id,
                text=text,
                html=html,
                html_version=markup.VERSION,
                reply_to=reply_to,
                attachment_count=len(attachments),
                created_at=row.created_at,
            )
            calls = mentions.keep(message, known)
            log.announce(room, row.position, Event.Kind.MESSAGE_CREATED, actor_id=author.pk, also=calls)
    except IntegrityError as error:
        # The same id in another room at the same instant: that room's lock is not this one.
        raise ClientIdConflictError from error
    return Posted(message, created=True)


def _posted_before(room: Room, *, author: User, text: str, client_id: UUID, attachments: Sequence[str] = ()) -> Message:
    """Return the message that was posted under this id, or raise why there is none; the room is locked."""
    log.lock(room)  # raises if it has been deleted
    _require_member(room, author)
    earlier = Message.objects.with_people().filter(author=author, client_id=client_id).first()
    if earlier is None:
        raise PermissionDenied(_("This room is archived: it can be read, not changed."))
    was_changed = earlier.edited_at or earlier.deleted_at
    if earlier.room_id != room.pk or (earlier.text != text and not was_changed):
        raise ClientIdConflictError
    if not earlier.is_deleted and list(attachments) != [each.key for each in attached_to(earlier)]:
        raise ClientIdConflictError
    return earlier


def edit_message(message: Message, *, text: str, actor: User) -> Message:
    """Give the actor's own message another text, under its room's row lock; publishes `message_edited` if it is.

    What it said before is kept as a revision, which whoever sees the message may see.
    """
    known = mentions.known_in(text, room=message.room, author=actor)
    html = markup.render(text, known.names) if text else ""
    with transaction.atomic():
        room, message = _locked(message)
        _require_member(room, actor)
        if not message.is_by(actor):
            raise PermissionDenied(_("Only its author may edit a message."))
        _refuse_archived(room)
        if message.is_deleted:
            raise ValidationError(_("This message was deleted."), code="deleted")
        if message.text != text:
            message.revisions.create(
                text=message.text, html=message.html, written_at=message.edited_at or message.created_at
            )
            Message.objects.filter(pk=message.pk).update(
                text=text, html=html, html_version=markup.VERSION, edited_at=Now()
            )
            message.refresh_from_db(fields=["text", "html", "edited_at"])
            calls = mentions.keep(message, known)
            log.append(room, Event.Kind.MESSAGE_EDITED, actor=actor, message_id=message.pk, also=calls)
        return message


def delete_message(message: Message, *, actor: User) -> Message:
    """Empty a message, leaving a tombstone, under its room's row lock; publishes `message_deleted`. Twice is once.

    The caller has checked that the actor may: its author, a moderator of the room, or somebody in the admin.
    """
    with transaction.atomic():
        room, message = _locked(message)
        if not message.is_deleted:
            Message.objects.filter(pk=message.pk).update(text="", html="", deleted_at=Now())
            message.revisions.all().delete()
            message.refresh_from_db(fields=["text", "html", "deleted_at"])
            message.reactions.all().delete()
            message.found_reactions = ()
            calls = mentions.keep(message, mentions.NOBODY)
            log.append(room, Event.Kind.MESSAGE_DELETED, actor=actor, message_id=message.pk, also=calls)
        return message


def announce_typing(room: Room, *, user: User) -> None:
    """Have the room's other open streams shown that somebody is typing. No lock, no row, no event of the log."""
    if room.is_archived or not typing.is_due(room.pk, user.pk):
        return
    data = {"user": {"id": user.pk, "username": user.username, "name": user.display_name}, "seconds": typing.SECONDS}
    publish(room.channel_name, ephemeral("typing", data, sender=user.pk))


def _locked(message: Message) -> tuple[Room, Message]:
    room = log.lock(message.room)
    return room, Message.objects.with_people().get(pk=message.pk)


def _require_member(room: Room, user: User) -> None:
    if not Membership.objects.filter(room=room, user=user).exists():
        raise PermissionDenied(_("Join this room first."))


def _refuse_archived(room: Room) -> None:
    if room.is_archived:
        raise PermissionDenied(_("This room is archived: it can be read, not changed."))
