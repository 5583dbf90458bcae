"""Whether a database keeps its word: what must always be true of the logs, asked of the tables. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet, Subquery, Value, Window
from django.db.models.functions import Coalesce, Lag, Length

from messaging.models import Attachment, Mention, Message, Report
from project.files import store
from rooms.channels import CHANNEL_MAX, CHANNEL_PATTERN
from rooms.models import IS_ABOUT_A_MESSAGE, Event, Membership, Room

EXAMPLES = 100  # of one kind of damage; a table in ruins is not listed row by row

Scope = QuerySet[Room]


@dataclass(frozen=True)
class Finding:
    """Something that must not be. `position` is where in the room's log, or None when it is about the whole room."""

    kind: str
    room: str
    position: int | None
    says: str


@dataclass(frozen=True)
class Check:
    kind: str
    find: Callable[[Scope], Iterable[tuple[str, int | None, str]]]

    def findings(self, scope: Scope) -> Iterator[Finding]:
        """Yield what is wrong in these rooms, at most EXAMPLES of it."""
        for room, position, says in islice(self.find(scope), EXAMPLES):
            yield Finding(self.kind, room, position, says)


def findings(scope: Scope) -> Iterator[Finding]:
    """Yield all that is wrong in these rooms.

    Give LOG_CHECKS one snapshot: a log that is being written has no one state. FILE_CHECKS want none: the disk is as
    it is now, and what was deleted since a snapshot has no files any more.
    """
    for check in CHECKS:
        yield from check.findings(scope)


def _gaps(scope: Scope) -> Iterator[tuple[str, int | None, str]]:
    for room, position, before in _neighbours(scope).filter(before__lt=F("position") - 1).iterator():
        yield room, position, f"the position before {position} is {before}"


def _repeated(scope: Scope) -> Iterator[tuple[str, int | None, str]]:
    for room, position, _before in _neighbours(scope).filter(before=F("position")).iterator():
        yield room, position, f"two events have the position {position}"


def _neighbours(scope: Scope) -> QuerySet[Any, Any]:
    """Return the rooms' slugs and positions, each with the position before it (0 before the first)."""
    before = Window(Lag("position", default=Value(0)), partition_by=F("room"), order_by="position")
    events = Event.objects.order_by("room", "position").filter(room__in=scope).annotate(before=before)
    return events.values_list("room__slug", "position", "before")


def _counters(scope: Scope) -> Iterator[tuple[str, int | None, str]]:
    newest = Event.objects.filter(room=OuterRef("pk")).order_by().values("room").annotate(last=Max("position"))
    rooms = scope.annotate(last=Coalesce(Subquery(newest.values("last")), Value(0))).exclude(last_position=F("last"))
    for slug, counter, last in rooms.values_list("slug", "last_position", "last").iterator():
        yield slug, None, f"its counter says {counter} and its log ends at {last}"


def _of_nothing(scope: Scope) -> Iterator[tuple[str, int | None, str]]:
    exists = Exists(Message.objects.filter(pk=OuterRef("message_id")))
    events = Event.objects.order_by().filter(IS_ABOUT_A_MESSAGE, ~exists, room__in=scope)
    for slug, position, kind in events.values_list("room__slug", "position", "kind").iterator():
        yield slug, position, f"the event {kind} points at a message that does not exist"


def _of_elsewhere(scope: Scope) -> Iterator[tuple[str, int | None, str]]:
    events = Event.objects.order_by().filter(room__in=scope, message__isnull=False)
    events = events.exclude(message__room=F("room"))
    for slug, position, other in events.values_list("room__slug", "position", "message__room__slug").iterator():
        yield slug, position, f"the event points at a message of {other}"


def _unannounced(scope: Scope) -> Iterator[tuple[str, int | None, str]]:
    at_its_position = _creations().filter(room=OuterRef("room"), position=OuterRef("position"), message=OuterRef("pk"))
    messages = Message.objects.order_by().filter(~Exists(at_its_position), room__in=scope)
    for slug, position, pk in messages.values_list("room__slug", "position", "pk").iterator():
        yield slug, position, f"message {pk} has no message_created event at its position"


def _announced_twice(scope: Scope) -> Iterator[tuple[str, int | None, str]]:
    repeated = _creations().filter(room__in=scope).values("message").annotate(times=Count("pk")).filter(times__gt=1)
    for slug, position, pk, times in repeated.values_list(
        "message__room__slug", "message__position", "message", "times"
    ).iterator():
        yield slug, position, f"message {pk} has {times} message_created events"


def _creations() -> QuerySet[Event]:
    return Event.objects.order_by().filter(kind=Event.Kind.MESSAGE_CREATED)


def _replies(scope: Scope) -> Iterator[tuple[str, int | None, str]]:
    replies = Message.objects.order_by().filter(room__in=scope, reply_to__isnull=False)
    replies = replies.exclude(reply_to__room=F("room"))
    for slug, position, other in replies.values_list("room__slug", "position", "reply_to__room__slug").iterator():
        yield slug, position, f"the message replies to one of {other}"


def _replies_to_later(scope: Scope) -> Iterator[tuple[str, int | None, str]]:
    replies = Message.objects.order_by().filter(room__in=scope, reply_to__room=F("room"))
    later = replies.filter(reply_to__position__gte=F("position"))
    for slug, position, other in later.values_list("room__slug", "position", "reply_to__position").iterator():
        yield slug, position, f"the message replies to the one at {other}, which was not there yet"


def _read_positions(scope: Scope) -> Iterator[tuple[str, int | None, str]]:
    memberships = Membership.objects.order_by().filter(room__in=scope)
    out_of_range = Q(last_read_position__lt=0) | Q(last_read_position__gt=F("room__last_position"))
    found = memberships.filter(out_of_range).values_list("room__slug", "last_read_position", "user")
    for slug, position, user in found.iterator():
        yield slug, position, f"person {user} has read up to {position}, which the log has not reached"


def _memberships_untold(scope: Scope) -> Iterator[tuple[str, int | None, str]]:
    joined = Event.objects.filter(
        kind=Event.Kind.MEMBERSHIP_ADDED,
        room=OuterRef("room"),
        member=OuterRef("user"),
        position=OuterRef("joined_position"),
    )
    memberships = Membership.objects.order_by().filter(room__in=scope)
    # Two statements: PostgreSQL joins what is asked by itself, and looks again and again at what is one of two.
    for says, wrong in (
        ("and did not join there", ~Exists(joined)),
        ("and was removed after that", Exists(_removed_after("joined_position", "user"))),
    ):
        found = memberships.filter(wrong).values_list("room__slug", "joined_position", "user")
        for slug, position, user in found.iterator():
            yield slug, position, f"person {user} is a member {says}"


def _memberships_lost(scope: Scope) -> Iterator[tuple[str, int | None, str]]:
    there = Membership.objects.filter(
        room=OuterRef("room"), user=OuterRef("member"), joined_position=OuterRef("position")
    )
    joined = Event.objects.order_by().filter(kind=Event.Kind.MEMBERSHIP_ADDED, member__isnull=False, room__in=scope)
    lost = joined.filter(~Exists(there), ~Exists(_removed_after("position", "member")))
    for slug, position, user in lost.values_list("room__slug", "position", "member").iterator():
        yield slug, position, f"person {user} joined, was not removed, and is no member since then"


def _removed_after(position: str, person: str) -> QuerySet[Event]:
    """Return the events that end somebody's membership of a room after a position, both by their names outside."""
    removals = Event.objects.filter(kind=Event.Kind.MEMBERSHIP_REMOVED, room=OuterRef("room"))
    return removals.filter(member=OuterRef(person), position__gt=OuterRef(position))


def _channels(scope: Scope) -> Iterator[tuple[str, int | None, str]]:
    twin = Exists(Room.with_deleted.filter(channel_name=OuterRef("channel_name")).exclude(pk=OuterRef("pk")))
    rooms = scope.annotate(length=Length("channel_name")).filter(
        Q(twin) | ~Q(channel_name__regex=CHANNEL_PATTERN) | Q(length__gt=CHANNEL_MAX)
    )
    for slug, name in rooms.values_list("slug", "channel_name").iterator():
        yield slug, None, f"its channel {name!r} is not a name of its own that PostgreSQL takes whole"


def _unannounced_deletions(scope: Scope) -> Iterator[tuple[str, int | None, str]]:
    at_the_end = Event.objects.filter(
        room=OuterRef("pk"), position=OuterRef("last_position"), kind=Event.Kind.ROOM_DELETED
    )
    rooms = scope.exclude(deleted_at=None).exclude(Exists(at_the_end))
    for slug, position in rooms.values_list("slug", "last_position").iterator():
        yield slug, position, "it is deleted and its log does not end with that"


def _room_deletions_undone(scope: Scope) -> Iterator[tuple[str, int | None, str]]:
    deletions = Event.objects.order_by().filter(kind=Event.Kind.ROOM_DELETED, room__in=scope, room__deleted_at=None)
    for slug, position in deletions.filter(position=F("room__last_position")).values_list("room__slug", "position"):
        yield slug, position, "its log ends with its deletion and it is not deleted"


def _deletions_undone(scope: Scope) -> Iterator[tuple[str, int | None, str]]:
    # Not the other way round: whoever leaves the site empties what they said in deleted rooms, whose logs have ended.
    deletions = Event.objects.order_by().filter(kind=Event.Kind.MESSAGE_DELETED, room__in=scope)
    undone = deletions.filter(message__deleted_at=None)
    for slug, position in undone.values_list("room__slug", "position").iterator():
        yield slug, position, "the event deletes a message that is not deleted"


def _pinned_untold(scope: Scope) -> Iterator[tuple[str, int | None, str]]:
    messages = Message.objects.order_by().filter(room__in=scope, pinned_at__isnull=False)
    untold = messages.exclude(Exists(_last_pinned().filter(message=OuterRef("pk"))))
    for slug, position in untold.values_list("room__slug", "position").iterator():
        yield slug, position, "the message is pinned and no event says so"


def _told_unpinned(scope: Scope) -> Iterator[tuple[str, int | None, str]]:
    # What is deleted is pinned no more, without an event of its own.
    told = _last_pinned().filter(room__in=scope, message__pinned_at=None, message__deleted_at=None)
    for slug, position in told.values_list("room__slug", "position").iterator():
        yield slug, position, "the event pins a message that is not pinned"


def _last_pinned() -> QuerySet[Event]:
    """Return the events that pin a message and are the last that do so, or the opposite, of it."""
    kinds = (Event.Kind.MESSAGE_PINNED, Event.Kind.MESSAGE_UNPINNED)
    later = Event.objects.filter(message=OuterRef("message"), kind__in=kinds, position__gt=OuterRef("position"))
    return Event.objects.order_by().filter(~Exists(later), kind=Event.Kind.MESSAGE_PINNED)


def _miscounted(scope: Scope) -> Iterator[tuple[str, int | None, str]]:
    counted = Attachment.objects.filter(message=OuterRef("pk")).order_by().values("message").annotate(n=Count("pk"))
    messages = Message.objects.order_by().filter(room__in=scope, deleted_at=None)
    wrong = messages.annotate(found=Coalesce(Subquery(counted.values("n")), Value(0))).exclude(
        found=F("attachment_count")
    )
    rows = wrong.values_list("room__slug", "position", "attachment_count", "found")
    for slug, position, said, found in rows.iterator():
        yield slug, position, f"the message says it has {said} files and has {found}"


def _parts_of_another_room(scope: Scope) -> Iterator[tuple[str, int | None, str]]:
    """Find what keeps its message's room, and who may see it by that, where it is another one."""
    of_its_room = Q(room=F("message__room"))
    for what, model, is_right in (
        ("a file", Attachment, of_its_room),
        ("a mention", Mention, of_its_room & Q(position=F("message__position"))),
        ("a report", Report, of_its_room),
    ):
        wrong = model._default_manager.order_by().filter(~is_right, message__room__in=scope)
        for slug, position in wrong.values_list("message__room__slug", "message__position").iterator():
            yield slug, position, f"{what} of the message stands under another room or position"


def _missing_files(scope: Scope) -> Iterator[tuple[str, int | None, str]]:
    posted = Attachment.objects.order_by("message").filter(message__room__in=scope, message__deleted_at=None)
    rows = posted.values_list("message__room__slug", "message__position", "key", "size", "thumbnail_width")
    for slug, position, key, size, thumbnail_width in rows.iterator():
        says = _fault_of(key, size, has_thumbnail=thumbnail_width is not None)
        # It may have been deleted since the rows were read.
        if says and posted.filter(key=key).exists():
            yield slug, position, f"its file {key} {says}"


def _fault_of(key: str, size: int, *, has_thumbnail: bool) -> str:
    """Say what is wrong with the bytes of a file, if anything is."""
    kept = store.size_of(key)
    if kept is None:
        return "is not there"
    if kept != size:
        return f"has {kept} bytes instead of {size}"
    if has_thumbnail and store.size_of(key, store.THUMBNAIL) is None:
        return "has no thumbnail"
    return ""


LOG_CHECKS = (
    Check("position_gap", _gaps),
    Check("position_repeated", _repeated),
    Check("counter_wrong", _counters),
    Check("event_of_nothing", _of_nothing),
    Check("event_of_another_room", _of_elsewhere),
    Check("message_unannounced", _unannounced),
    Check("message_announced_twice", _announced_twice),
    Check("reply_to_another_room", _replies),
    Check("reply_to_later", _replies_to_later),
    Check("membership_untold", _memberships_untold),
    Check("membership_lost", _memberships_lost),
    Check("read_beyond_log", _read_positions),
    Check("channel_unsafe", _channels),
    Check("deletion_unannounced", _unannounced_deletions),
    Check("room_deletion_undone", _room_deletions_undone),
    Check("deletion_undone", _deletions_undone),
    Check("pin_untold", _pinned_untold),
    Check("pin_undone", _told_unpinned),
    Check("files_miscounted", _miscounted),
    Check("part_of_another_room", _parts_of_another_room),
)
FILE_CHECKS = (Check("file_missing", _missing_files),)
CHECKS = (*LOG_CHECKS, *FILE_CHECKS)
