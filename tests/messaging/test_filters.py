"""Words and links that are not let through."""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from messaging.models import Message
from rooms import moderation
from rooms.filters import LINE_MAX, LINES_MAX, cleaned, found_in
from rooms.models import Room, WordFilter
from tests.cast import nothing_happens
from tests.conftest import client_of, join
from tests.factories import MessageFactory, RoomFactory

JSON = {"Accept": "application/json"}
WORDS = "casino\nevil.example\ntwo words"


@pytest.mark.parametrize(
    "text",
    [
        *("casino", "CASINO!", "the (Casino) is", "\uff43asino", "ca\u200bsino", "c\u0301asino", "two words"),
        *("https://evil.example/x", "http://a.b.EVIL.example", "see evil.example."),
    ],
)
def test_what_is_listed_is_found(text: str) -> None:
    assert found_in(text, WORDS)


@pytest.mark.parametrize("line", ["\u200b", "\u00ad", "\ufeff", "\u0301", " "])
def test_line_of_which_nothing_is_seen_lets_nothing_through(line: str) -> None:
    assert found_in("hi, casino", f"{line}\ncasino") == "casino"
    assert cleaned(f"{line}\ncasino\n{line}") == "casino"


@pytest.mark.parametrize("text", ["casinos", "occasinoal", "notevil.example", "evil.examples", "two  other words", ""])
def test_what_is_not_listed_is_not_found(text: str) -> None:
    assert found_in("casino", WORDS)
    assert found_in(text, WORDS) is None


def test_long_texts_and_long_lists_take_no_time() -> None:
    words = "\n".join(f"{'a.' * 20}{number}" for number in range(LINES_MAX))
    found_in("", words)
    for text in ("a." * 4_000, "a" * 8_000, "a-" * 4_000, "a b " * 2_000):
        began = time.perf_counter()
        assert found_in(text, words) is None
        assert time.perf_counter() - began < 1.0


def post(client: Client, room: Room, text: str) -> Any:
    sent = {"text": text, "client_id": str(uuid.uuid4())}
    return client.post(f"/rooms/{room.slug}/messages/", sent, headers=JSON)


@pytest.mark.parametrize("everywhere", [False, True], ids=["room", "site"])
def test_listed_word_is_not_posted_edited_or_forwarded(any_room: Room, owner: User, everywhere: bool) -> None:
    other = RoomFactory.create(actor=owner)
    outside = MessageFactory.create(room=other, author=owner, text="a casino")
    moderation.set_word_filter(None if everywhere else any_room, words=WORDS, actor=owner)
    message = MessageFactory.create(room=any_room, author=owner, text="fine")
    client = client_of(owner)
    forwarded = {"room": any_room.slug, "client_id": str(uuid.uuid4())}
    with nothing_happens():
        answers = [
            post(client, any_room, "to the Casino"),
            client.post(f"/rooms/{any_room.slug}/messages/{message.pk}/edit/", {"text": "casino"}, headers=JSON),
            client.post(f"/rooms/{other.slug}/messages/{outside.pk}/forward/", forwarded, headers=JSON),
        ]
    assert [answer.status_code for answer in answers] == [400] * 3
    assert answers[0].json() == {"errors": {"__all__": ["This room does not let \u201ccasino\u201d through."]}}
    assert post(client, other, "casino").status_code == (400 if everywhere else 201)
    moderation.set_word_filter(None if everywhere else any_room, words="", actor=owner)
    assert post(client, any_room, "casino").status_code == 201


def test_owner_writes_the_list_and_members_do_not_see_it(any_room: Room, owner: User) -> None:
    client, path = client_of(owner), f"/rooms/{any_room.slug}"
    member = client_of(join(any_room, "member"))
    with nothing_happens():
        assert client.post(f"{path}/words/", {"words": "x" * (LINE_MAX + 1)}).status_code == 400
        assert client.post(f"{path}/words/", {"words": "\n".join(map(str, range(LINES_MAX + 1)))}).status_code == 400
    assert client.post(f"{path}/words/", {"words": " casino \r\n\r\ncasino\r\nslot  machine"}).status_code == 302
    assert WordFilter.objects.get().words == "casino\nslot machine"
    assert "slot machine" in client.get(f"{path}/settings/").content.decode()
    assert "slot machine" not in member.get(f"{path}/").content.decode()
    assert post(member, any_room, "casino").status_code == 400
    assert not Message.objects.exists()
