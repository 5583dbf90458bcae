"""All that changes messages. Each action is one transaction and appends to the room's log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import psycopg
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts.audit import AuditEntry, record
from accounts.models import User
from messaging import limiting, markup, mentions, posting, typing, uploading
from messaging.attachments import attached_to
from messaging.models import Message
from project.limits import TooOftenError, waiting_for
from project.realtime.notify import ephemeral, publish
from rooms import access, log
from rooms.models import Event, Membership, Room


class ClientIdConflictError(Exception):
    """A `client_id` that stands for another message already."""


class _NotWrittenError(Exception):
    """The statement that posts found that something does not hold."""


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

    `attachments` are keys of files that the author sent into this room. Raises `PermissionDenied` when the author may
    not write here by then, `ValidationError` for what can't be posted, `ClientIdConflictError` when the id was used for
    another text, room or file, and `TooOftenError`.
    """
    limiting.refuse_words(room, text)
    known = mentions.known_in(text, room=room, author=author)
    html = markup.render(text, known.names) if text else ""  # may take tens of milliseconds: before the lock
    limiting.refuse_links(html, author)
    wanted = limiting.of_post(room, author, text)
    try:
        with transaction.atomic():
            posting.lock(room.pk)
            row = posting.insert(
                room.pk,
                author_id=author.pk,
                author_since=author.date_joined,
                client_id=client_id,
                text=text,
                html=html,
                reply_to_id=reply_to.pk if reply_to else None,
                files=len(attachments),
                wanted=wanted,
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
        if not _is_about_the_id(error):
            raise
        # The same id in another room at the same instant: that room's lock is not this one.
        raise ClientIdConflictError from error
    except _NotWrittenError:
        raise waiting_for(wanted + limiting.of_slow_mode(room, author)) or TooOftenError(1) from None
    return Posted(message, created=True)


def _is_about_the_id(error: IntegrityError) -> bool:
    cause = error.__cause__
    return isinstance(cause, psycopg.Error) and cause.diag.constraint_name == "message_author_client_id_unique"


def _posted_before(room: Room, *, author: User, text: str, client_id: UUID, attachments: Sequence[str] = ()) -> Message:
    """Return the message that was posted under this id, or raise why there is none; the room is locked."""
    membership = _membership(log.lock(room), author)  # raises if it has been deleted
    earlier = Message.objects.with_people().filter(author=author, client_id=client_id).first()
    if earlier is None:
        access.refuse_writing(membership)
        raise _NotWrittenError
    was_changed = earlier.edited_at or earlier.deleted_at
    if earlier.room_id != room.pk or (earlier.text != text and not was_changed):
        raise ClientIdConflictError
    if earlier.is_deleted or uploading.are_the_same(attachments, attached_to(earlier), author_id=author.pk):
        return earlier
    raise ClientIdConflictError


def edit_message(message: Message, *, text: str, actor: User) -> Message:
    """Give the actor's own message another text, under its room's row lock; publishes `message_edited` if it is.

    What it said before is kept as a revision, which whoever sees the message may see. Raises `PermissionDenied` when
    the actor may not write there, and `ValidationError` for what can't be posted and a message that was deleted.
    """
    limiting.refuse_words(message.room, text)
    known = mentions.known_in(text, room=message.room, author=actor)
    html = markup.render(text, known.names) if text else ""
    limiting.refuse_links(html, actor)
    with transaction.atomic():
        room, message = _locked(message)
        membership = _membership(room, actor)
        if not message.is_by(actor):
            raise PermissionDenied(_("Only its author may edit a message."))
        access.refuse_writing(membership)
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

    What is deleted is pinned no more: the one event tells both. The caller has checked that the actor may: its author,
    a moderator of the room, or somebody in the admin.
    """
    with transaction.atomic():
        room, message = _locked(message)
        if not message.is_deleted:
            empty_locked(room, message, actor=actor)
            if not message.is_by(actor):
                record(AuditEntry.Action.MESSAGE_DELETED, actor=actor, target=message.author, room=room.named)
        return message


def empty_locked(room: Room, message: Message, *, actor: User) -> None:
    """Empty a message of a locked room; publishes `message_deleted`. A part of actions, not one by itself."""
    Message.objects.filter(pk=message.pk).update(text="", html="", deleted_at=Now(), pinned_at=None)
    message.revisions.all().delete()
    message.refresh_from_db(fields=["text", "html", "deleted_at", "pinned_at"])
    message.reactions.all().delete()
    message.found_reactions = ()
    calls = mentions.keep(message, mentions.NOBODY)
    log.append(room, Event.Kind.MESSAGE_DELETED, actor=actor, message_id=message.pk, also=calls)


def announce_typing(room: Room, *, user: User) -> None:
    """Have the room's other open streams shown that somebody is typing. No lock, no row, no event of the log."""
    if room.is_archived or not typing.is_due(room.pk, user.pk):
        return
    data = {"user": {"id": user.pk, "username": user.username, "name": user.display_name}, "seconds": typing.SECONDS}
    publish(room.channel_name, ephemeral("typing", data, sender=user.pk))


def _locked(message: Message) -> tuple[Room, Message]:
    room = log.lock(message.room)
    return room, Message.objects.with_people().get(pk=message.pk)


def _membership(room: Room, user: User) -> Membership:
    """Return somebody's membership of a locked room."""
    membership = Membership.objects.filter(room=room, user=user).first()
    if membership is None:
        raise PermissionDenied(_("Join this room first."))
    membership.room, membership.user = room, user
    return membership
