"""`manage.py verify`: each kind of damage is planted, and named."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models.functions import Now

from accounts.models import User
from messaging.actions import delete_message, edit_message, post_message
from messaging.models import Attachment, Mention, Message, Report
from messaging.verify import CHECKS, EXAMPLES, FILE_CHECKS, findings
from project.files import store
from rooms.actions import delete_room
from rooms.models import Event, Membership, Room
from tests.cast import together
from tests.factories import MessageFactory, RoomFactory


@pytest.fixture(autouse=True)
def uploads(settings: Any, tmp_path: Path) -> None:
    settings.UPLOADS_DIR = tmp_path


@pytest.fixture
def talk(room: Room, owner: User) -> list[Message]:
    """Three messages at the positions 2 to 4 of the room's log, then an edit and a deletion at 5 and 6."""
    said = [MessageFactory.create(room=room, author=owner, text=f"number {number}") for number in range(3)]
    edit_message(said[0], text="edited", actor=owner)
    delete_message(said[1], actor=owner)
    return said


def execute(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def without(table: str, constraint: str) -> None:
    """Drop a constraint for this test only: its transaction is rolled back."""
    # Deferred checks of what is there already would forbid the change.
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    with connection.schema_editor() as editor:
        editor.execute(f"ALTER TABLE {editor.quote_name(table)} DROP CONSTRAINT {editor.quote_name(constraint)}")


def foreign_key(table: str, column: str) -> str:
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, table)
    return next(name for name, about in constraints.items() if about["foreign_key"] and about["columns"] == [column])


def only_once(table: str, column: str) -> str:
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, table)
    return next(name for name, about in constraints.items() if about["unique"] and about["columns"] == [column])


def remove_event(room: Room) -> None:
    Event.objects.filter(room=room, position=5).delete()


def lose_first_event(room: Room) -> None:
    Event.objects.filter(room=room, position=1).delete()
    Membership.objects.filter(room=room).delete()  # of which it told


def repeat_position(room: Room) -> None:
    without("rooms_event", "event_room_position_unique")
    Event.objects.filter(room=room, position=6).update(position=5)
    Room.objects.filter(pk=room.pk).update(last_position=5)


def set_counter_back(room: Room) -> None:
    Room.objects.filter(pk=room.pk).update(last_position=6 - 1)


def point_at_nothing(room: Room) -> None:
    without("rooms_event", foreign_key("rooms_event", "message_id"))
    Event.objects.filter(room=room, position=5).update(message=2**40)


def point_elsewhere(room: Room) -> None:
    other = MessageFactory.create(room=RoomFactory.create(name="Other"))
    Event.objects.filter(room=room, position=5).update(message=other)


def hide_creation(room: Room) -> None:
    Event.objects.filter(room=room, position=4).update(kind=Event.Kind.MESSAGE_EDITED)


def move_message(room: Room) -> None:
    Message.objects.filter(room=room, position=4).update(position=40)


def announce_again(room: Room) -> None:
    Event.objects.filter(room=room, position=5).update(kind=Event.Kind.MESSAGE_CREATED)


def reply_across(room: Room) -> None:
    other = MessageFactory.create(room=RoomFactory.create(name="Other"))
    Message.objects.filter(room=room, position=4).update(reply_to=other)


def read_ahead(room: Room) -> None:
    Membership.objects.filter(room=room).update(last_read_position=7)


def rename_channel(room: Room) -> None:
    without("rooms_room", "room_channel_name_safe")
    Room.objects.filter(pk=room.pk).update(channel_name='room_x"; DROP TABLE y_0123456789ab')


def delete_unsaid(room: Room) -> None:
    Room.objects.filter(pk=room.pk).update(deleted_at=Now())


def pin_silently(room: Room) -> None:
    Message.objects.filter(room=room, position=4).update(pinned_at=Now())


def say_pinned(room: Room) -> None:
    Event.objects.filter(room=room, position=5).update(kind=Event.Kind.MESSAGE_PINNED)


def miscount_files(room: Room) -> None:
    Message.objects.filter(room=room, position=4).update(attachment_count=1)


def attach(room: Room, position: int = 4, **fields: Any) -> Attachment:
    """Have a message have a file, of one byte."""
    Message.objects.filter(room=room, position=position).update(attachment_count=1)
    message, key = Message.objects.get(room=room, position=position), f"{position:032}"
    path = store.path_of(key)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    kept = {"name": "a", "size": 1, "kind": "file"}
    return Attachment.objects.create(key=key, room=room, message=message, **{**kept, **fields})


def lose_file(room: Room) -> None:
    store.remove(attach(room).key)


def cut_file(room: Room) -> None:
    attach(room, size=2)


def lose_thumbnail(room: Room) -> None:
    attach(room, kind="image", width=900, height=900, thumbnail_width=720, thumbnail_height=720)


def misplace_file(room: Room) -> None:
    attachment = attach(room)
    Attachment.objects.filter(pk=attachment.pk).update(room=RoomFactory.create(name="Other"))


def misplace_mention(room: Room) -> None:
    message = Message.objects.get(room=room, position=4)
    Mention.objects.create(message=message, user=None, room=room, position=3)


def misplace_report(room: Room) -> None:
    other, message = RoomFactory.create(name="Other"), Message.objects.get(room=room, position=4)
    Report.objects.create(message=message, room=other, reason="rude")


def say_deleted(room: Room) -> None:
    Event.objects.filter(room=room, position=5).update(kind=Event.Kind.MESSAGE_DELETED)


def say_room_deleted(room: Room) -> None:
    Event.objects.filter(room=room, position=6).update(kind=Event.Kind.ROOM_DELETED, message=None)


def move_joining(room: Room) -> None:
    Membership.objects.filter(room=room).update(joined_position=0)
    Event.objects.filter(room=room, position=1).update(member=None)  # so that nobody is missed there


def say_removed(room: Room) -> None:
    member = Membership.objects.get(room=room).user
    Event.objects.filter(room=room, position=5).update(kind=Event.Kind.MEMBERSHIP_REMOVED, member=member, message=None)


def lose_membership(room: Room) -> None:
    Membership.objects.filter(room=room).delete()


def reply_to_itself(room: Room) -> None:
    Message.objects.filter(room=room, position=4).update(reply_to=Message.objects.get(room=room, position=4))


DAMAGE: list[tuple[Callable[[Room], None], str, int | None]] = [
    (remove_event, "position_gap", 6),
    (lose_first_event, "position_gap", 2),
    (repeat_position, "position_repeated", 5),
    (set_counter_back, "counter_wrong", None),
    (point_at_nothing, "event_of_nothing", 5),
    (point_elsewhere, "event_of_another_room", 5),
    (hide_creation, "message_unannounced", 4),
    (move_message, "message_unannounced", 40),
    (announce_again, "message_announced_twice", 2),
    (reply_across, "reply_to_another_room", 4),
    (read_ahead, "read_beyond_log", 7),
    (rename_channel, "channel_unsafe", None),
    (delete_unsaid, "deletion_unannounced", 6),
    (pin_silently, "pin_untold", 4),
    (say_pinned, "pin_undone", 5),
    (miscount_files, "files_miscounted", 4),
    (lose_file, "file_missing", 4),
    (cut_file, "file_missing", 4),
    (lose_thumbnail, "file_missing", 4),
    (misplace_file, "part_of_another_room", 4),
    (misplace_mention, "part_of_another_room", 4),
    (misplace_report, "part_of_another_room", 4),
    (say_deleted, "deletion_undone", 5),
    (say_room_deleted, "room_deletion_undone", 6),
    (move_joining, "membership_untold", 0),
    (say_removed, "membership_untold", 1),
    (lose_membership, "membership_lost", 1),
    (reply_to_itself, "reply_to_later", 4),
]


@pytest.mark.parametrize(("plant", "kind", "position"), DAMAGE, ids=[plant.__name__ for plant, *_ in DAMAGE])
def test_each_kind_of_damage_is_named(
    room: Room, talk: list[Message], plant: Callable[[Room], None], kind: str, position: int | None
) -> None:
    assert list(findings(Room.objects.all())) == []
    plant(room)
    found = list(findings(Room.with_deleted.all()))
    assert [(finding.kind, finding.room, finding.position) for finding in found] == [(kind, room.slug, position)]


def test_every_check_has_been_seen_to_fail() -> None:
    assert {kind for _plant, kind, _position in DAMAGE} == {check.kind for check in CHECKS}


@pytest.mark.parametrize("of", [Room.objects, Room.with_deleted], ids=["the room", "all"])
def test_channel_of_a_deleted_room_is_no_name_of_ones_own(room: Room, of: Any) -> None:
    other = RoomFactory.create(name="Other")
    delete_room(other, actor=room.memberships.get().user)
    assert list(findings(of.all())) == []
    without("rooms_room", only_once("rooms_room", "channel_name"))
    Room.with_deleted.filter(pk=other.pk).update(channel_name=room.channel_name)
    shared = [finding.room for finding in findings(of.order_by("pk")) if finding.kind == "channel_unsafe"]
    assert shared == [each.slug for each in of.order_by("pk")]


def test_file_that_was_deleted_meanwhile_is_not_missing(room: Room, owner: User, talk: list[Message]) -> None:
    attach(room, 2)
    attach(room, 4)
    store.remove(f"{2:032}")
    [files] = FILE_CHECKS
    found = files.findings(Room.objects.all())
    assert next(found).position == 2
    delete_message(Message.objects.get(position=4), actor=owner)
    store.remove(f"{4:032}")
    assert list(found) == []


def test_damage_elsewhere_is_not_this_rooms(room: Room, talk: list[Message]) -> None:
    other = RoomFactory.create(name="Other")
    remove_event(room)
    assert len(list(findings(Room.objects.all()))) == 1
    assert list(findings(Room.objects.filter(pk=other.pk))) == []


def test_ruins_are_shown_by_example(room: Room, owner: User) -> None:
    for number in range(EXAMPLES + 1):
        post_message(room, author=owner, text=str(number), client_id=uuid.uuid4())
    Message.objects.filter(room=room).update(reply_to=MessageFactory.create())
    assert len(list(findings(Room.objects.all()))) == EXAMPLES


def run(*arguments: str) -> tuple[int, str]:
    """Return the command's exit status and what it printed."""
    stdout = io.StringIO()
    try:
        call_command("verify", *arguments, stdout=stdout)
    except SystemExit as left:
        return int(str(left.code)), stdout.getvalue()
    return 0, stdout.getvalue()


def test_command_finds_a_whole_database_in_order(transactional_db: None, room: Room, talk: list[Message]) -> None:
    status, said = run()
    assert status == 0
    assert said.startswith("Everything is in order (rooms: 1, events: 6, messages: 3, seconds: ")
    status, said = run("--json")
    report = json.loads(said)
    assert (status, report["ok"], report["findings"]) == (0, True, [])
    assert (report["rooms"], report["events"], report["messages"]) == (1, 6, 3)


def test_command_names_the_fault_and_fails(transactional_db: None, room: Room, talk: list[Message]) -> None:
    set_counter_back(room)
    status, said = run(room.slug)
    assert status == 1
    assert said.startswith(f"counter_wrong  {room.slug}  its counter says 5 and its log ends at 6\n")
    status, said = run("--json")
    says = "its counter says 5 and its log ends at 6"
    assert status == 1
    assert json.loads(said)["findings"] == [
        {"kind": "counter_wrong", "room": room.slug, "position": None, "says": says}
    ]


def test_command_refuses_a_room_that_is_not_there(transactional_db: None, room: Room) -> None:
    assert run(room.slug)[0] == 0
    with pytest.raises(CommandError, match=r"There is no room attic\."):
        run("attic", room.slug)


def test_command_does_not_miss_what_is_deleted_while_it_runs(
    transactional_db: None, room: Room, owner: User, talk: list[Message]
) -> None:
    attachment = attach(room)

    def delete() -> None:
        delete_message(talk[2], actor=owner)
        store.remove(attachment.key)

    def deleting(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        answer = execute(sql, params, many, context)
        if "rooms_event" in sql and store.size_of(attachment.key):  # the snapshot is taken by now
            together(delete)
        return answer

    with connection.execute_wrapper(deleting):
        assert run()[0] == 0
    assert store.size_of(attachment.key) is None


def test_command_changes_nothing(transactional_db: None, room: Room, talk: list[Message]) -> None:
    with connection.execute_wrapper(only_reads):
        assert run()[0] == 0


def only_reads(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    assert sql.startswith(("SELECT", "SET ", "DECLARE", "SAVEPOINT", "RELEASE")), sql
    return execute(sql, params, many, context)
