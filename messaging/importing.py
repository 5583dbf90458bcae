"""History that already happened, brought into a room in bulk: `post_message` for thousands of lines of the past."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from messaging import markup, mentions
from messaging.models import Message
from project.cleaning import clean_body
from project.realtime.notify import publish
from rooms import log
from rooms.models import Event, Membership, Room

BATCH = 200


@dataclass(frozen=True)
class ImportedLine:
    """One message of the past. `reply_to` is the index, from 0, of an earlier line of the same import."""

    author: User
    text: str
    created_at: datetime
    reply_to: int | None = None


def import_history(room: Room, *, lines: Iterable[ImportedLine], advance: Callable[[int], object] | None = None) -> int:
    """Post lines of the past, oldest first, and return how many; the room may be talked in meanwhile.

    Each batch is one transaction under the room's row lock and publishes its last position; `advance` is then told how
    many lines it had. Raises `ValidationError` for a line that can't be kept, `PermissionDenied` when an author is no
    member or the room is archived; unless that changes halfway, nothing has been written then.
    """
    checked = _checked(lines)
    ids: list[int] = []
    for start in range(0, len(checked), BATCH):
        batch = checked[start : start + BATCH]
        rendered = [_rendered(room, line) for line in batch]  # slow: before the lock
        with transaction.atomic():
            locked = log.lock(room)
            _refuse_archived(locked)
            _require_members(locked, checked[start:])
            ids += _append(locked, batch, rendered, ids)
        if advance:
            advance(len(batch))
    return len(ids)


def _rendered(room: Room, line: ImportedLine) -> str:
    return markup.render(line.text, mentions.known_in(line.text, room=room, author=line.author).names)


def backdate_beginnings(room: Room, *, began_at: datetime, ended_at: datetime) -> None:
    """Spread a room's creation and its events so far over a stretch of the past, under its row lock.

    For a room that is about to get a history older than itself, so that its members join before they speak. Positions
    stay, nothing is published. Raises `ValueError` if somebody has spoken already.
    """
    with transaction.atomic():
        room = log.lock(room)
        events = list(room.events.order_by("position"))
        if any(event.message_id for event in events):
            raise ValueError(f"room {room.slug} has messages: their times would be falsified")
        for number, event in enumerate(events):
            event.created_at = began_at + (ended_at - began_at) * number / len(events)
        joined = {event.member_id: event.created_at for event in events if event.kind == Event.Kind.MEMBERSHIP_ADDED}
        memberships = list(Membership.objects.filter(room=room, user__in=[user for user in joined if user]))
        for membership in memberships:
            membership.joined_at = joined[membership.user_id]
        Event.objects.bulk_update(events, ["created_at"])
        Membership.objects.bulk_update(memberships, ["joined_at"])
        Room.objects.filter(pk=room.pk).update(created_at=began_at)


def _append(room: Room, batch: Sequence[ImportedLine], rendered: Sequence[str], ids: Sequence[int]) -> list[int]:
    """Write a batch at the end of a locked room and return the messages' ids; `ids` are those of the lines before."""
    first = len(ids)
    messages = [
        Message(
            room=room,
            position=position,
            author=line.author,
            client_id=uuid.uuid4(),
            text=line.text,
            html=html,
            html_version=markup.VERSION,
            reply_to_id=ids[line.reply_to] if line.reply_to is not None and line.reply_to < first else None,
            created_at=line.created_at,
        )
        for position, (line, html) in enumerate(zip(batch, rendered, strict=True), room.last_position + 1)
    ]
    Message.objects.bulk_create(messages)
    _link_replies(messages, batch, first)
    Event.objects.bulk_create(
        Event(
            room=room,
            position=message.position,
            kind=Event.Kind.MESSAGE_CREATED,
            actor=message.author,
            message=message,
            created_at=message.created_at,
        )
        for message in messages
    )
    room.last_position += len(messages)
    room.save(update_fields=["last_position"])
    # As in rooms.log.append: after the commit, one wake-up for the batch.
    transaction.on_commit(lambda: publish(room.channel_name, str(room.last_position)), robust=True)
    return [message.pk for message in messages]


def _link_replies(messages: Sequence[Message], batch: Sequence[ImportedLine], first: int) -> None:
    """Set the replies to messages of the same batch, whose ids are known only once they are written."""
    replies = []
    for message, line in zip(messages, batch, strict=True):
        if line.reply_to is not None and line.reply_to >= first:
            message.reply_to = messages[line.reply_to - first]
            replies.append(message)
    Message.objects.bulk_update(replies, ["reply_to"])


def _checked(lines: Iterable[ImportedLine]) -> list[ImportedLine]:
    """Return the lines with their texts clean. Raises `ValidationError` that names the line, counted from 1."""
    checked: list[ImportedLine] = []
    for line in lines:
        try:
            text = _clean(line.text)
            _check_order(line, checked)
        except ValidationError as error:
            about = {"number": len(checked) + 1, "problem": " ".join(error.messages)}
            raise ValidationError(_("Line %(number)d: %(problem)s") % about) from error
        checked.append(replace(line, text=text))
    return checked


def _clean(text: str) -> str:
    text = clean_body(text)
    if len(text) > settings.MESSAGE_MAX_CHARACTERS or len(text.encode()) > settings.MESSAGE_MAX_BYTES:
        limit = settings.MESSAGE_MAX_CHARACTERS
        raise ValidationError(_("Use at most %(limit)d characters.") % {"limit": limit}, code="max_length")
    return text


def _check_order(line: ImportedLine, earlier: Sequence[ImportedLine]) -> None:
    if line.created_at > timezone.now() or (earlier and line.created_at < earlier[-1].created_at):
        raise ValidationError(_("Its time must be past, and not before that of the line above."), code="order")
    if line.reply_to is not None and not 0 <= line.reply_to < len(earlier):
        raise ValidationError(_("It can only reply to a line above it."), code="reply_to")


def _require_members(room: Room, lines: Iterable[ImportedLine]) -> None:
    authors = {line.author.pk for line in lines}
    if authors - set(Membership.objects.filter(room=room, user__in=authors).values_list("user", flat=True)):
        raise PermissionDenied(_("Every author must be a member of the room."))


def _refuse_archived(room: Room) -> None:
    if room.is_archived:
        raise PermissionDenied(_("This room is archived: it can be read, not changed."))
