from __future__ import annotations

import re
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client

from accounts.models import User
from messaging import emoji, events
from messaging.actions import delete_message
from messaging.models import Message, Reaction
from messaging.reactions import add_reaction, remove_reaction
from rooms.actions import archive_room
from rooms.models import Event, Room
from tests.cast import nothing_happens, together
from tests.conftest import client_of, join, leave
from tests.factories import MessageFactory

JSON = {"Accept": "application/json"}


@pytest.fixture
def message(room: Room, owner: User) -> Message:
    return MessageFactory.create(room=room, author=owner, text="Cake in the kitchen")


def url(message: Message) -> str:
    return f"/rooms/{message.room.slug}/messages/{message.pk}/reactions/"


def react(client: Client, message: Message, text: str, **fields: str) -> int:
    return client.post(url(message), {"emoji": text, **fields}, headers=JSON).status_code


def test_reaction_is_put_on_and_taken_off_by_events_of_the_log(message: Message, owner: User) -> None:
    member = join(message.room, "member")
    for _ in range(2):
        assert [group.emoji for group in add_reaction(message, emoji="🎉", actor=member).reacted] == ["🎉"]
    add_reaction(message, emoji="🎉", actor=owner)
    for _ in range(2):
        changed = remove_reaction(message, emoji="🎉", actor=member)
    assert changed.reacted == [("🎉", [owner])]
    kinds = Event.objects.filter(message=message).order_by("position").values_list("kind", "actor")
    assert list(kinds) == [
        ("message_created", owner.pk),
        ("reaction_added", member.pk),
        ("reaction_added", owner.pk),
        ("reaction_removed", member.pk),
    ]
    assert Room.objects.get(pk=message.room_id).last_position == Event.objects.filter(room=message.room).count()


def test_log_and_table_say_the_same(message: Message, owner: User) -> None:
    member = join(message.room, "member")
    User.objects.filter(pk=member.pk).update(avatar_key="0" * 32)
    for actor, text in ((owner, "🎉"), (member, "👍🏽"), (member, "🎉")):
        add_reaction(message, emoji=text, actor=actor)
    after = Event.objects.filter(message=message).earliest("position").position
    entries = events.read_after(message.room_id, after, 100)
    whole = Message.objects.with_people().get(pk=message.pk)
    entry = entries[-1]
    assert entry.event == "reaction_added"
    assert entry.state["message"] == events.message_data(whole)
    assert [
        (each["emoji"], [person["name"] for person in each["people"]]) for each in entry.state["message"]["reactions"]
    ] == [
        ("🎉", ["Olga Owner", "Member"]),
        ("👍🏽", ["Member"]),
    ]
    people = [person for each in entry.state["message"]["reactions"] for person in each["people"]]
    assert [person["avatar"] is not None for person in people] == [False, True, True]
    assert entry.row == events.message_row(whole, message.room.slug)
    assert entry.row.count('class="reaction"') == 2
    assert f'data-people="{owner.pk} {member.pk} "' in entry.row


def test_same_reaction_at_the_same_instant_is_one(transactional_db: None, message: Message) -> None:
    member = join(message.room, "member")
    together(*[lambda: add_reaction(message, emoji="👍", actor=member)] * 4)
    assert Reaction.objects.count() == Event.objects.filter(kind="reaction_added").count() == 1


def test_deleted_message_loses_its_reactions_and_takes_no_more(message: Message, owner: User) -> None:
    add_reaction(message, emoji="👍", actor=owner)
    assert events.message_data(delete_message(message, actor=owner))["reactions"] == []
    with nothing_happens(), pytest.raises(ValidationError):
        add_reaction(message, emoji="👍", actor=owner)


def test_who_left_and_an_archived_room_can_not(message: Message, owner: User) -> None:
    member = join(message.room, "member")
    add_reaction(message, emoji="👍", actor=member)
    leave(message.room, member)
    with nothing_happens(), pytest.raises(PermissionDenied):
        remove_reaction(message, emoji="👍", actor=member)
    archive_room(message.room, actor=owner)
    with nothing_happens(), pytest.raises(PermissionDenied):
        add_reaction(message, emoji="👍", actor=owner)


def test_limits_of_a_message(message: Message, owner: User) -> None:
    client = client_of(owner)
    most = [text for text, _names, _toned in emoji.listing("en")][: settings.REACTIONS_PER_MESSAGE + 1]
    assert [react(client, message, text) for text in most] == [200] * settings.REACTIONS_PER_MESSAGE + [400]
    assert react(client, message, most[0]) == 200, "one that is there can be joined"
    assert len(Message.objects.with_people().get().reacted) == settings.REACTIONS_PER_MESSAGE


@pytest.mark.parametrize("text", ["", "x", "👍👍", "👍 ", "x" * 5_000, "🏽", "©x", ":tada:", "a\0", "\ud800"])
def test_what_is_not_one_emoji_is_refused(message: Message, owner: User, text: str) -> None:
    client = client_of(owner)
    assert react(client, message, "👍") == 200
    sent = "%ED%A0%80" if text == "\ud800" else text
    with nothing_happens():
        assert react(client, message, sent) == 400


def test_emoji_is_kept_in_one_spelling(message: Message, owner: User) -> None:
    client = client_of(owner)
    assert [react(client, message, text) for text in ("❤", "❤️")] == [200, 200]
    assert [reaction.emoji for reaction in Reaction.objects.all()] == ["❤️"]


def test_too_many_a_minute_wait(message: Message, owner: User, settings: Any) -> None:
    settings.REACTIONS_PER_MINUTE = 3
    client, other = client_of(owner), client_of(join(message.room, "member"))
    assert [react(client, message, "👍", **remove) for remove in ({}, {"remove": "1"}, {})] == [200] * 3
    with nothing_happens():
        refused = client.post(url(message), {"emoji": "🎉"}, headers=JSON)
    assert refused.status_code == 429
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert react(other, message, "🎉") == 200


def test_listing_is_for_everybody_and_kept(db: None, client: Client) -> None:
    response = client.get(f"/emoji/{emoji.VERSION}/en/", headers={"Accept-Encoding": "gzip"})
    assert (response["Cache-Control"], response["Content-Encoding"]) == ("public, max-age=31536000, immutable", "gzip")
    assert "Set-Cookie" not in response.headers
    assert "Cookie" not in response.get("Vary", "")
    assert [client.get(f"/emoji/{path}/").status_code for path in ("0.0/en", f"{emoji.VERSION}/xx")] == [404, 404]
    assert client.post(f"/emoji/{emoji.VERSION}/en/").status_code == 405


def test_listing_of_another_language_has_another_address(message: Message, owner: User) -> None:
    names: dict[str, list[str]] = {}
    for language in ("en", "de"):
        User.objects.filter(pk=owner.pk).update(language=language)
        page = client_of(owner).get(f"/rooms/{message.room.slug}/").content.decode()
        [address] = re.findall('data-emoji-url="([^"]+)"', page)
        # What is kept of an address is right whoever asked for it.
        for asked in ("en", "de"):
            listing = Client().get(address, headers={"Accept-Language": asked}).json()
            found = {text: words.split()[0] for text, words, _tones in listing}
            names.setdefault(address, []).append(found["🎉"])
    assert list(names.values()) == [["party_popper"] * 2, ["konfettibombe"] * 2]


def test_listing_has_names_in_english_and_german() -> None:
    english, german = ({text: names for text, names, _ in emoji.listing(code)} for code in ("en", "de"))
    assert english["🎉"].split()[0] == "party_popper"
    assert "tada" in english["🎉"].split()
    assert german["🎉"].split()[0] == "konfettibombe"
    assert "tada" in german["🎉"].split()
    toned = {text for text, _names, has_tones in emoji.listing("en") if has_tones}
    assert {"👍", "🧑‍💻"} <= toned
    assert not {"🎉", "👪"} & toned
    assert all(emoji.canonical(text) == text for text in english)
