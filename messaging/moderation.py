"""What moderators do about messages, and what is reported to them. Each action is one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import AuditEntry, record
from accounts.models import User
from messaging.actions import delete_message, empty_locked
from messaging.models import Message
from messaging.reports import Report
from project.realtime.notify import ephemeral, publish_all
from rooms import log
from rooms.models import Membership, Role, Room

DELETED_AT_ONCE = 50
MODERATORS_TOLD = 500  # a wake-up has 8,000 bytes
Action = AuditEntry.Action


def delete_recent(room: Room, *, author: User, since: timedelta, actor: User) -> int:
    """Empty all that somebody said in a room in the last while, and return how many messages that were.

    They go in portions, each one transaction under the room's row lock that publishes its `message_deleted` and is
    written into the audit log: a room with much to delete is not locked for long. The caller has checked that the actor
    may.
    """
    recent = Message.objects.filter(room=room, author=author, deleted_at=None, created_at__gt=Now() - since)
    ids = list(recent.order_by("position").values_list("pk", flat=True))
    return sum(
        _delete_portion(room, ids[start : start + DELETED_AT_ONCE], author=author, actor=actor)
        for start in range(0, len(ids), DELETED_AT_ONCE)
    )


def _delete_portion(room: Room, ids: Sequence[int], *, author: User, actor: User) -> int:
    """Empty those of these messages that nobody has emptied meanwhile, and return how many that were."""
    with transaction.atomic():
        locked = log.lock(room)
        left = list(Message.objects.with_people().filter(pk__in=ids, deleted_at=None).order_by("position"))
        for message in left:
            empty_locked(locked, message, actor=actor)
        if left:
            record(Action.MESSAGES_DELETED, actor=actor, target=author, room=room.named, detail=str(len(left)))
        return len(left)


def report_message(message: Message, *, reason: str, reporter: User) -> Report:
    """Tell the room's moderators of a message. Told again by the same person, it is still one report. Takes no lock.

    Raises `ValidationError` for one's own message and a deleted one.
    """
    if message.is_by(reporter):
        raise ValidationError(_("This is your own message: you can delete it."), code="own")
    if message.is_deleted:
        raise ValidationError(_("This message was deleted."), code="deleted")
    with transaction.atomic():
        report, created = Report.objects.get_or_create(
            message=message, reporter=reporter, decided_at=None, defaults={"reason": reason, "room_id": message.room_id}
        )
        if created:
            transaction.on_commit(lambda: _tell_moderators(message.room), robust=True)
        return report


def decide_report(report: Report, *, outcome: str, actor: User) -> Report:
    """Delete the reported message, or leave it; all reports of it are settled with this one. Twice is once.

    Takes the room's row lock; publishes `message_deleted` if the message was still there and is not to be.
    """
    with transaction.atomic():
        room = log.lock(report.room)
        waiting = Report.objects.waiting().filter(message=report.message_id)
        if not waiting.update(decided_at=timezone.now(), decided_by=actor, outcome=outcome):
            return report
        message = report.message
        if outcome == Report.Outcome.DELETED:
            delete_message(message, actor=actor)
        record(Action.REPORT, actor=actor, target=message.author, room=room.named, detail=outcome)
        transaction.on_commit(lambda: _tell_moderators(room), robust=True)
        report.refresh_from_db()
        return report


def _tell_moderators(room: Room) -> None:
    """Have the streams of those who moderate a room, and of nobody else, show how many reports wait for each."""
    moderators = Membership.objects.filter(room=room, role__in=(Role.OWNER, Role.MODERATOR)).select_related("room")
    positions = list(Report.objects.waiting().filter(room=room).values_list("message__position", flat=True))
    told: defaultdict[int, list[int]] = defaultdict(list)
    for each in moderators.order_by("pk")[:MODERATORS_TOLD]:
        told[sum(position > each.reads_after for position in positions)].append(each.user_id)
    publish_all(
        [
            (room.channel_name, ephemeral("reports", {"room": room.slug, "count": count}, only=people))
            for count, people in told.items()
        ]
    )
