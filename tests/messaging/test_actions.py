from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction

from accounts.models import User
from messaging.actions import ClientIdConflictError, delete_message, edit_message, post_message
from messaging.models import Message
from messaging.sidebar_reading import sidebar_rooms
from rooms import actions
from rooms.models import Membership, Room
from tests.cast import Ear, nothing_happens
from tests.conftest import client_of, join, leave
from tests.factories import RoomFactory, UserFactory
from tests.messaging.posting import log_of, say

committed = pytest.mark.django_db(transaction=True)


def test_message_and_its_event_have_one_position(room: Room, owner: User) -> None:
    client_id = uuid.uuid4()
    message, created = say(room, owner, "**hello**", client_id)
    message.refresh_from_db()
    room.refresh_from_db()
    event = room.events.latest("position")
    assert created
    assert (message.position, event.position, room.last_position) == (2, 2, 2)
    assert (message.text, message.html) == ("**hello**", "<p><strong>hello</strong></p>")
    assert (message.room, message.author, message.client_id) == (room, owner, client_id)
    assert (message.edited_at, message.deleted_at, message.reply_to) == (None, None, None)
    assert (event.kind, event.message, event.actor) == ("message_created", message, owner)


def test_retry_returns_the_same_message_and_writes_nothing(room: Room, owner: User) -> None:
    message, _ = say(room, owner, "hello", client_id := uuid.uuid4())
    with nothing_happens():
        again, created = say(room, owner, "hello", client_id)
    assert (again, again.position, again.html, created) == (message, message.position, message.html, False)


def test_retry_of_what_was_changed_meanwhile_is_the_same_message(room: Room, owner: User) -> None:
    message, _ = say(room, owner, "first", client_id := uuid.uuid4())
    for change in (partial(edit_message, text="second"), delete_message):
        change(message, actor=owner)
        with nothing_happens():
            again, created = say(room, owner, "first", client_id)
        assert (again.pk, created) == (message.pk, False)
    assert again.text == ""


def test_retry_into_an_archived_room_is_the_same_message(room: Room, owner: User) -> None:
    message, _ = say(room, owner, "hello", client_id := uuid.uuid4())
    actions.archive_room(room, actor=owner)
    assert say(room, owner, "hello", client_id) == (message, False)


def test_same_id_of_somebody_else_is_another_message(room: Room, owner: User) -> None:
    member = join(room, "member")
    first, _ = say(room, owner, "hello", client_id := uuid.uuid4())
    second, created = say(room, member, "hello", client_id)
    assert created
    assert first.pk != second.pk


def refusals() -> Iterator[tuple[str, type[Exception], Callable[[Room, Room, User, User, Message], object]]]:
    def in_archived(room: Room, other: Room, owner: User, stranger: User, said: Message) -> object:
        actions.archive_room(other, actor=owner)
        return say(other, owner)

    yield "no member", PermissionDenied, lambda room, other, owner, stranger, said: say(room, stranger)
    yield (
        "other text",
        ClientIdConflictError,
        lambda room, other, owner, stranger, said: say(room, owner, "other", said.client_id),
    )
    yield (
        "other room",
        ClientIdConflictError,
        lambda room, other, owner, stranger, said: say(other, owner, said.text, said.client_id),
    )
    yield (
        "edit by another",
        PermissionDenied,
        lambda room, other, owner, stranger, said: edit_message(said, text="x", actor=stranger),
    )


@pytest.mark.parametrize(("error", "post"), [pytest.param(*case[1:], id=case[0]) for case in refusals()])
@committed
def test_refused_message_is_neither_written_nor_heard(
    error: type[Exception], post: Callable[[Room, Room, User, User, Message], object], outsider: User
) -> None:
    owner = UserFactory.create()
    room, other = RoomFactory.create(actor=owner), RoomFactory.create(actor=owner)
    with Ear(room.channel_name, other.channel_name) as ear:
        said = say(room, owner).message
        say(other, owner)
        assert ear.heard() == ["2", "2"]
        with nothing_happens(), pytest.raises(error):
            post(room, other, owner, outsider, said)
        assert ear.heard() == []


def test_archived_room_takes_no_message_and_no_edit(room: Room, owner: User) -> None:
    message, _ = say(room, owner)
    actions.archive_room(room, actor=owner)
    with nothing_happens(), pytest.raises(PermissionDenied):
        say(room, owner)
    with nothing_happens(), pytest.raises(PermissionDenied):
        edit_message(message, text="x", actor=owner)
    actions.restore_room(room, actor=owner)
    assert say(room, owner).created


def test_who_has_left_posts_and_edits_no_more(any_room: Room) -> None:
    member = join(any_room, "member")
    message, _ = say(any_room, member)
    leave(any_room, member)
    with nothing_happens(), pytest.raises(PermissionDenied):
        say(any_room, member)
    with nothing_happens(), pytest.raises(PermissionDenied):
        edit_message(message, text="x", actor=member)


@committed
def test_message_is_heard_after_its_commit_and_never_after_a_rollback() -> None:
    room = RoomFactory.create()
    owner = room.memberships.get().user
    with Ear(room.channel_name) as ear:
        with transaction.atomic():
            say(room, owner)
            assert ear.heard() == []
        assert ear.heard() == ["2"]
        with transaction.atomic():
            say(room, owner)
            transaction.set_rollback(True)
        assert ear.heard() == []


@pytest.fixture
def broken_notify(transactional_db: None) -> Iterator[None]:
    """A database in which every NOTIFY fails, as it does while the server's queue of them is full."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION public.pg_notify(text, text) RETURNS void LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE 'too many notifications in the NOTIFY queue' USING ERRCODE = '54000'; END $$"
        )
        cursor.execute("SET search_path = public, pg_catalog")
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET search_path")
        cursor.execute("DROP FUNCTION public.pg_notify(text, text)")


def test_message_is_posted_even_if_nobody_can_be_told(
    room: Room, owner: User, broken_notify: None, caplog: pytest.LogCaptureFixture
) -> None:
    with Ear(room.channel_name) as ear:
        response = client_of(owner).post(
            f"/rooms/{room.slug}/messages/",
            {"text": "Canary Text", "client_id": str(uuid.uuid4())},
            headers={"Accept": "application/json"},
        )
        assert ear.heard() == []
    assert (response.status_code, response.json()["position"]) == (201, 2)
    assert Message.objects.get().text == "Canary Text"
    assert "NOTIFY queue" in caplog.text
    assert "Canary" not in caplog.text


def test_edit_keeps_place_and_author(room: Room, owner: User) -> None:
    message, _ = say(room, owner, "befor")
    before = (message.pk, message.position, message.created_at, message.author)
    edited = edit_message(message, text="*before*", actor=owner)
    edited.refresh_from_db()
    assert (edited.pk, edited.position, edited.created_at, edited.author) == before
    assert (edited.text, edited.html) == ("*before*", "<p><em>before</em></p>")
    assert edited.edited_at is not None
    assert log_of(room)[-1] == (3, "message_edited")


def test_edit_to_the_same_text_changes_nothing(room: Room, owner: User) -> None:
    message, _ = say(room, owner, "same")
    with nothing_happens():
        edit_message(message, text="same", actor=owner)


def test_nobody_edits_for_another(room: Room, owner: User) -> None:
    member = join(room, "member")
    message, _ = say(room, member)
    with nothing_happens(), pytest.raises(PermissionDenied):
        edit_message(message, text="put into your mouth", actor=owner)


def test_deleted_message_is_empty_everywhere_and_stays_so(room: Room, owner: User) -> None:
    message, _ = say(room, owner, "Canary Text")
    edit_message(message, text="Canary Text 2", actor=owner)
    delete_message(message, actor=owner)
    with connection.cursor() as cursor:
        cursor.execute("SELECT m::text FROM messaging_message m UNION ALL SELECT e::text FROM rooms_event e")
        assert "Canary" not in str(cursor.fetchall())
    assert [kind for _, kind in log_of(room)[1:]] == ["message_created", "message_edited", "message_deleted"]
    with nothing_happens():
        delete_message(message, actor=owner)
    with nothing_happens(), pytest.raises(ValidationError):
        edit_message(message, text="back again", actor=owner)


def test_reply_names_what_it_answers(room: Room, owner: User) -> None:
    first, _ = say(room, owner)
    reply, _ = post_message(room, author=owner, text="yes", client_id=uuid.uuid4(), reply_to=first)
    reply.refresh_from_db()
    assert reply.reply_to == first


def read_positions(room: Room) -> dict[str, int]:
    return dict(Membership.objects.filter(room=room).values_list("user__username", "last_read_position"))


def test_author_who_has_read_everything_has_read_their_own_message(room: Room, owner: User) -> None:
    join(room, "member")
    actions.mark_read(Membership.objects.get(room=room, user=owner), position=2)
    before = read_positions(room)
    for number in range(3):
        message, _ = say(room, owner, str(number))
    assert read_positions(room) == before | {"owner": message.position}


def test_author_who_has_not_read_everything_keeps_their_place(room: Room, owner: User) -> None:
    member = join(room, "member")
    before = read_positions(room)
    unread, _ = say(room, member, "not read yet")
    after_it, _ = say(room, owner, "posted from elsewhere")
    assert read_positions(room) == before | {"member": unread.position}
    say(room, member, "nor this")
    assert read_positions(room) == before | {"member": unread.position}
    actions.mark_read(Membership.objects.get(room=room, user=owner), position=after_it.position + 1)
    last, _ = say(room, owner, "and now")
    assert read_positions(room)["owner"] == last.position


def test_message_marked_as_unread_stays_so_when_the_person_posts(room: Room, owner: User) -> None:
    member = join(room, "member")
    unread, _ = say(room, member, "for later")
    mine = Membership.objects.get(room=room, user=owner)
    actions.mark_read(mine, position=unread.position)
    actions.mark_unread(mine, position=unread.position)
    say(room, owner, "busy")
    assert read_positions(room)["owner"] == unread.position - 1
    assert sidebar_rooms(owner)[0].is_unread
