"""History in bulk: the same log as if it had been posted line by line."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.utils import timezone

from accounts.models import User
from messaging.actions import post_message
from messaging.importing import BATCH, ImportedLine, backdate_beginnings, import_history
from messaging.models import Message
from messaging.verify import findings
from rooms.actions import archive_room
from rooms.models import Event, Room
from tests.conftest import client_of, join, leave
from tests.factories import MembershipFactory, RoomFactory
from tests.server import ServerProcess
from tests.streams import EventStream

LONG_AGO = datetime(2024, 5, 1, 12, tzinfo=UTC)


def lines_by(author: User, *texts: str) -> list[ImportedLine]:
    return [ImportedLine(author, text, LONG_AGO + timedelta(minutes=number)) for number, text in enumerate(texts)]


def log_of(room: Room) -> list[tuple[object, ...]]:
    """The log's positions, kinds, actors and the positions of the messages meant."""
    return list(room.events.order_by("position").values_list("position", "kind", "actor", "message__position"))


def shown(room: Room) -> list[tuple[object, ...]]:
    fields = ("position", "author", "text", "html", "html_version", "reply_to__position", "edited_at", "deleted_at")
    return list(Message.objects.filter(room=room).order_by("position").values_list(*fields))


def written(room: Room) -> tuple[object, ...]:
    """All that a refusal must leave as it is."""
    room.refresh_from_db()
    return room.last_position, log_of(room), shown(room)


def test_import_leaves_the_same_log_as_posting(room: Room, owner: User) -> None:
    member = join(room, "member")
    posted_room = RoomFactory.create(name="Posted", actor=owner)
    MembershipFactory.create(room=posted_room, member=member)
    first = post_message(posted_room, author=owner, text="**one**", client_id=uuid.uuid4()).message
    post_message(posted_room, author=member, text="two", client_id=uuid.uuid4(), reply_to=first)

    lines = [ImportedLine(owner, " **one**\r\n", LONG_AGO), ImportedLine(member, "two", LONG_AGO, reply_to=0)]
    assert import_history(room, lines=lines) == 2

    assert written(room) == written(posted_room)
    assert list(findings(Room.objects.all())) == []


def test_imported_lines_keep_their_time(room: Room, owner: User) -> None:
    import_history(room, lines=lines_by(owner, "one", "two"))
    times = [LONG_AGO, LONG_AGO + timedelta(minutes=1)]
    assert list(room.messages.order_by("position").values_list("created_at", flat=True)) == times
    events = room.events.filter(kind=Event.Kind.MESSAGE_CREATED).order_by("position")
    assert list(events.values_list("created_at", flat=True)) == times


def test_replies_reach_over_batches(room: Room, owner: User) -> None:
    lines = lines_by(owner, *(f"line {number}" for number in range(2 * BATCH + 1)))
    last = len(lines) - 1
    lines[BATCH + 1] = ImportedLine(owner, "to the one before", lines[BATCH + 1].created_at, reply_to=BATCH)
    lines[last] = ImportedLine(owner, "to the first", lines[last].created_at, reply_to=0)
    told: list[int] = []
    assert import_history(room, lines=lines, advance=told.append) == len(lines)
    assert told == [BATCH, BATCH, 1]
    replies = room.messages.exclude(reply_to=None).order_by("position").values_list("text", "reply_to__text")
    assert list(replies) == [("to the one before", f"line {BATCH}"), ("to the first", "line 0")]
    assert list(findings(Room.objects.all())) == []


def test_nothing_to_import_writes_nothing(room: Room) -> None:
    before = written(room)
    assert import_history(room, lines=[]) == 0
    assert written(room) == before


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda line: {"text": " \u200b\n"}, "Write something first."),
        (lambda line: {"text": "bell \x07"}, "Leave out control characters."),
        (lambda line: {"text": "x" * (settings.MESSAGE_MAX_CHARACTERS + 1)}, "Use at most 8000 characters."),
        (lambda line: {"created_at": LONG_AGO - timedelta(days=1)}, "Its time must be past"),
        (lambda line: {"created_at": timezone.now() + timedelta(hours=1)}, "Its time must be past"),
        (lambda line: {"reply_to": BATCH + 1}, "It can only reply to a line above it."),
        (lambda line: {"reply_to": -1}, "It can only reply to a line above it."),
    ],
)
def test_line_that_cannot_be_kept_is_named_and_nothing_written(
    room: Room, owner: User, spoil: Callable[[ImportedLine], dict[str, object]], problem: str
) -> None:
    lines = lines_by(owner, *("fine" for _ in range(BATCH + 2)))
    good = lines[BATCH + 1]
    lines[BATCH + 1] = replace(good, **spoil(good))  # type: ignore[arg-type]  # fields by name
    before = written(room)
    with pytest.raises(ValidationError) as refusal:
        import_history(room, lines=lines)
    assert refusal.value.messages[0].startswith(f"Line {BATCH + 2}: {problem}")
    assert written(room) == before
    lines[BATCH + 1] = good
    assert import_history(room, lines=lines) == BATCH + 2


def test_former_member_and_outsider_cannot_be_authors(room: Room, owner: User, outsider: User) -> None:
    former_member = join(room, "former")
    mixed = [*lines_by(owner, *("fine" for _ in range(BATCH))), *lines_by(former_member, "me too")]
    mixed = [replace(line, created_at=LONG_AGO) for line in mixed]
    assert import_history(room, lines=mixed) == BATCH + 1
    leave(room, former_member)
    before = written(room)
    with pytest.raises(PermissionDenied):
        import_history(room, lines=mixed)
    with pytest.raises(PermissionDenied):
        import_history(room, lines=lines_by(outsider, "hello"))
    assert written(room) == before


def test_archived_room_takes_no_history(room: Room, owner: User) -> None:
    import_history(room, lines=lines_by(owner, "while it is open"))
    archive_room(room, actor=owner)
    before = written(room)
    with pytest.raises(PermissionDenied):
        import_history(room, lines=lines_by(owner, "too late"))
    assert written(room) == before


def test_posts_in_the_middle_of_an_import_leave_no_gap(transactional_db: None, room: Room, owner: User) -> None:
    imported = threading.Event()

    def post_until_imported() -> None:
        try:
            while not imported.is_set():
                post_message(room, author=owner, text="meanwhile", client_id=uuid.uuid4())
        finally:
            connection.close()

    poster = threading.Thread(target=post_until_imported)
    posted_between: list[int] = []

    def wait_for_a_post(_number: int) -> None:
        """Go on only once somebody has posted behind the batch."""
        end = Room.objects.get(pk=room.pk).last_position
        deadline = timezone.now() + timedelta(seconds=15)
        while Room.objects.get(pk=room.pk).last_position <= end:
            assert timezone.now() < deadline
        posted_between.append(end + 1)

    poster.start()
    try:
        import_history(
            room, lines=lines_by(owner, *(f"{number}" for number in range(3 * BATCH))), advance=wait_for_a_post
        )
    finally:
        imported.set()
        poster.join(15)
    meanwhile = Message.objects.filter(room=room, text="meanwhile").order_by("position")
    past = Message.objects.filter(room=room).exclude(text="meanwhile").order_by("position")
    assert len(posted_between) == 3
    assert meanwhile.count() >= 3
    assert list(past.values_list("text", flat=True)) == [f"{number}" for number in range(3 * BATCH)]
    assert list(findings(Room.objects.all())) == []


def test_open_stream_hears_an_import(server: ServerProcess, room: Room, owner: User) -> None:
    with EventStream(server, client_of(owner), f"/rooms/{room.slug}/stream/") as stream:
        import_history(room, lines=lines_by(owner, "one", "two", "three"))
        events = stream.take(3)
    assert [event.data["message"]["text"] for event in events] == ["one", "two", "three"]
    assert [event.id for event in events] == ["2", "3", "4"]
    assert events[0].data["message"]["created_at"] == "2024-05-01T12:00:00Z"


def test_backdated_members_join_before_they_speak(room: Room, owner: User) -> None:
    member = join(room, "member")
    before = log_of(room)
    backdate_beginnings(room, began_at=LONG_AGO - timedelta(hours=2), ended_at=LONG_AGO)
    room.refresh_from_db()
    joins = [LONG_AGO - timedelta(hours=2), LONG_AGO - timedelta(hours=1)]
    assert room.created_at == joins[0]
    assert list(room.events.order_by("position").values_list("created_at", flat=True)) == joins
    assert dict(room.memberships.values_list("user", "joined_at")) == {owner.pk: joins[0], member.pk: joins[1]}
    assert log_of(room) == before


def test_a_room_with_messages_is_not_backdated(room: Room, owner: User) -> None:
    import_history(room, lines=lines_by(owner, "spoken"))
    times = list(room.events.order_by("position").values_list("created_at", flat=True))
    with pytest.raises(ValueError, match="has messages"):
        backdate_beginnings(room, began_at=LONG_AGO - timedelta(days=9), ended_at=LONG_AGO)
    assert list(room.events.order_by("position").values_list("created_at", flat=True)) == times
