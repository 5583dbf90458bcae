"""How often people may post: exactly so often, whoever asks at the same instant."""

from __future__ import annotations

import uuid
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.utils import timezone

from accounts.models import User
from messaging.actions import post_message
from messaging.models import Message
from messaging.verify import findings
from project import limits
from rooms.actions import add_member
from rooms.models import Room
from tests.cast import nothing_happens, together
from tests.conftest import client_of, join
from tests.factories import MessageFactory, RoomFactory

JSON = {"Accept": "application/json"}


@pytest.fixture(autouse=True)
def as_stated(settings: Any) -> None:
    settings.LIMITS_FACTOR = 1


@pytest.fixture
def settled(room: Room) -> User:
    """A member who is not new."""
    person = join(room, "settled")
    User.objects.filter(pk=person.pk).update(date_joined=timezone.now() - timedelta(days=2))
    return User.objects.get(pk=person.pk)


def post(user: User | Client, room: Room, text: str = "", client_id: str = "") -> Any:
    fields = {"text": text or str(uuid.uuid4()), "client_id": client_id or str(uuid.uuid4())}
    client = user if isinstance(user, Client) else client_of(user)
    return client.post(f"/rooms/{room.slug}/messages/", fields, headers=JSON)


def sql(statement: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def pass_time(seconds: int) -> None:
    sql(f"UPDATE buckets SET full_at = full_at - interval '{seconds} seconds'")  # noqa: S608


def test_every_limit_says_what_happens_while_it_can_not_be_counted(settings: Any) -> None:
    assert {limit["fails"] for limit in settings.LIMITS.values()} <= {"open", "closed"}
    assert {name: limit["fails"] for name, limit in settings.LIMITS.items() if name.startswith("post")} == {
        "post": "closed",
        "post_new": "closed",
        "post_room": "closed",
        "post_same": "closed",
    }


def test_bucket_gives_exactly_its_burst_to_all_who_ask_at_once(transactional_db: None, settings: Any) -> None:
    settings.LIMITS = {"tried": {"burst": 10, "seconds": 3600.0, "fails": "closed"}}

    def tries() -> int:
        taken = 0
        for _ in range(25):
            with suppress(limits.TooOftenError):
                limits.take_one("tried", "one")
                taken += 1
        return taken

    assert sum(together(*[tries] * 8)) == 10
    limits.take_one("tried", "another")


def test_bucket_that_can_not_be_asked_lets_through_or_not_as_it_says(db: None, settings: Any) -> None:
    stated = {"burst": 1, "seconds": 1.0}
    settings.LIMITS = {"open": {**stated, "fails": "open"}, "closed": {**stated, "fails": "closed"}}
    with connection.execute_wrapper(_fail):
        limits.take_one("open", 1)
        with pytest.raises(DatabaseError):
            limits.take_one("closed", 1)


def _fail(*_args: Any) -> None:
    raise DatabaseError


def test_person_posts_a_burst_and_then_as_often_as_it_fills(room: Room, settled: User, settings: Any) -> None:
    burst = settings.LIMITS["post"]["burst"]
    first = str(uuid.uuid4())
    assert post(settled, room, "one", first).status_code == 201
    assert [post(settled, room).status_code for _ in range(burst - 1)] == [201] * (burst - 1)
    before = sql("SELECT * FROM buckets ORDER BY key")
    client = client_of(settled)
    with nothing_happens():
        answer = post(client, room)
    assert (answer.status_code, answer["Retry-After"]) == (429, "1")
    assert answer.json() == {"errors": {"__all__": ["That was too often. Wait a moment and try again."]}}
    assert sql("SELECT * FROM buckets ORDER BY key") == before  # nothing is taken of the other limits
    assert post(settled, room, "one", first).status_code == 200  # sent again, it is the same message
    pass_time(2)
    assert [post(settled, room).status_code for _ in range(3)] == [201, 201, 429]
    assert Message.objects.filter(author=settled).count() == burst + 2


def test_page_says_it_too(room: Room, settled: User, settings: Any) -> None:
    settings.LIMITS = {**settings.LIMITS, "post": {"burst": 1, "seconds": 60.0, "fails": "closed"}}
    fields = {"text": "kept", "client_id": str(uuid.uuid4())}
    path = f"/rooms/{room.slug}/messages/"
    assert client_of(settled).post(path, {**fields, "client_id": str(uuid.uuid4())}).status_code == 302
    answer = client_of(settled).post(path, {**fields, "text": "kept text"})
    assert (answer.status_code, b"kept text" in answer.content, b"too often" in answer.content) == (429, True, True)


def test_room_has_a_limit_for_all_together(room: Room, settled: User, settings: Any) -> None:
    settings.LIMITS = {**settings.LIMITS, "post_room": {"burst": 2, "seconds": 60.0, "fails": "closed"}}
    other = RoomFactory.create(actor=settled)
    assert [post(settled, room).status_code for _ in range(3)] == [201, 201, 429]
    answer = post(settled, room)
    assert answer.json()["errors"]["__all__"] == ["Many people are writing in this room. Wait a moment."]
    assert post(settled, other).status_code == 201


def test_same_text_is_refused_the_third_time(room: Room, settled: User) -> None:
    assert [post(settled, room, "buy").status_code for _ in range(3)] == [201, 201, 429]
    assert post(settled, room, "buy").json()["errors"]["__all__"] == ["You said just that a moment ago."]
    assert post(settled, room, "something else").status_code == 201
    pass_time(30)
    assert post(settled, room, "buy").status_code == 201


def test_new_account_has_a_shorter_burst_and_fewer_links(room: Room, settled: User, settings: Any) -> None:
    new, burst = join(room, "new"), settings.LIMITS["post_new"]["burst"]
    assert [post(new, room).status_code for _ in range(burst + 1)] == [201] * burst + [429]
    pass_time(10)
    links = [f"https://example.org/{number}" for number in range(settings.NEW_ACCOUNT_LINKS + 1)]
    assert post(settled, room, " ".join(links)).status_code == 201
    client = client_of(new)
    with nothing_happens():
        answer = post(client, room, " ".join(links))
    assert (answer.status_code, "3 links" in answer.json()["errors"]["__all__"][0]) == (400, True)
    assert post(new, room, " ".join(links[1:])).status_code == 201


def test_links_that_a_new_account_may_not_send_are_not_edited_in_either(
    room: Room, settled: User, settings: Any
) -> None:
    text = " ".join(f"https://example.org/{number}" for number in range(settings.NEW_ACCOUNT_LINKS + 1))
    answers = {}
    for author in (settled, join(room, "new")):
        message = MessageFactory.create(room=room, author=author, text="plain")
        path = f"/rooms/{room.slug}/messages/{message.pk}/edit/"
        answers[author.username] = client_of(author).post(path, {"text": text}, headers=JSON)
        message.refresh_from_db()
        assert message.text == (text if author == settled else "plain")
    assert {name: answer.status_code for name, answer in answers.items()} == {"settled": 200, "new": 400}
    assert "3 links" in answers["new"].content.decode()


def test_edits_have_a_limit_of_their_own(room: Room, settled: User, settings: Any) -> None:
    message = MessageFactory.create(room=room, author=settled, text="first")
    settings.LIMITS = {**settings.LIMITS, "edit": {"burst": 2, "seconds": 30.0, "fails": "closed"}}
    path, client = f"/rooms/{room.slug}/messages/{message.pk}/edit/", client_of(settled)
    assert [client.post(path, {"text": text}, headers=JSON).status_code for text in ("second", "third")] == [200, 200]
    with nothing_happens():
        answer = client.post(path, {"text": "fourth"}, headers=JSON)
        page = client.post(path, {"text": "kept text"})
    assert (answer.status_code, 1 <= int(answer["Retry-After"]) <= 30) == (429, True)
    assert answer.json() == {"errors": {"__all__": ["That was too often. Wait a moment and try again."]}}
    assert (page.status_code, 1 <= int(page["Retry-After"]) <= 30) == (429, True)
    assert (b"kept text" in page.content, b"too often" in page.content) == (True, True)
    assert client.get(path).status_code == 200  # the form is no edit
    pass_time(30)
    assert client.post(path, {"text": "fourth"}, headers=JSON).status_code == 200


def test_full_buckets_are_swept_and_others_kept(room: Room, settled: User) -> None:
    post(settled, room)
    assert len(sql("SELECT key FROM buckets")) == 3
    pass_time(40)
    post(settled, room, "again")
    limits.sweep()
    assert len(sql("SELECT key FROM buckets WHERE key LIKE 'post_same%'")) == 1


def test_counts_are_swept_when_they_are_over(db: None) -> None:
    for key in ("signup:192.0.2.1", "signup:192.0.2.2"):
        limits.take(key, times=5, seconds=3600)
    sql("UPDATE limits SET began_at = began_at - interval '2 days' WHERE key = 'signup:192.0.2.1'")
    limits.sweep()
    assert sql("SELECT key FROM limits WHERE key LIKE 'signup:%'") == [("signup:192.0.2.2",)]


def test_forwarding_counts_as_posting(room: Room, settled: User, settings: Any) -> None:
    message = MessageFactory.create(room=room, author=settled)
    settings.LIMITS = {**settings.LIMITS, "post": {"burst": 1, "seconds": 60.0, "fails": "closed"}}
    sql("DELETE FROM buckets")
    path = f"/rooms/{room.slug}/messages/{message.pk}/forward/"
    statuses = [
        client_of(settled).post(path, {"room": room.slug, "client_id": str(uuid.uuid4())}, headers=JSON).status_code
        for _ in range(2)
    ]
    assert statuses == [200, 429]


def test_burst_is_exact_also_for_posts_into_several_rooms_at_once(transactional_db: None, settings: Any) -> None:
    settings.LIMITS = {**settings.LIMITS, "post_new": {"burst": 10, "seconds": 3600.0, "fails": "closed"}}
    rooms = [RoomFactory.create(), RoomFactory.create()]
    author = join(rooms[0], "author")
    add_member(rooms[1], member=author, actor=author)

    def tries(room: Room) -> int:
        posted = 0
        for _ in range(8):
            with suppress(limits.TooOftenError):
                post_message(room, author=author, text=str(uuid.uuid4()), client_id=uuid.uuid4())
                posted += 1
        return posted

    assert sum(together(*[partial(tries, room) for room in rooms * 3])) == 10
    assert Message.objects.count() == 10
    assert list(findings(Room.with_deleted.all())) == []
