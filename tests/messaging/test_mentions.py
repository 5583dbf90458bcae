from __future__ import annotations

import re
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from messaging import markup
from messaging.actions import delete_message, edit_message, post_message
from messaging.markup import excerpt
from messaging.mentions import NAMES_MAX, keep, known_in
from messaging.models import Mention, Message
from messaging.sidebar_reading import sidebar_rooms
from project.realtime.notify import ACTIVITY_CHANNEL
from rooms.actions import mark_read
from rooms.models import Membership, Room
from tests.cast import Ear
from tests.conftest import client_of, join, leave
from tests.factories import MembershipFactory, MessageFactory, RoomFactory


def say(room: Room, author: User, text: str) -> Message:
    return post_message(room, author=author, text=text, client_id=uuid.uuid4()).message


def called(message: Message) -> list[str]:
    return sorted(mention.user.username if mention.user else "*" for mention in message.mentions.select_related("user"))


def count(room: Room, user: User) -> int:
    return next(each.mention_count for each in sidebar_rooms(user) if each.pk == room.pk)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@ana", ["ana"]),
        ("ask @ana.", ["ana"]),
        ("(@Ana, **@ben.b**)", ["ana", "ben.b"]),
        ("@ana @ana", ["ana"]),
        ("> @ana", ["ana"]),
        ("mail@ana.example ana@ana x@ana", []),
        ("https://example.org/@ana https://example.org/?a=@ana", []),
        ("`@ana`", []),
        ("```\n@ana\n```", []),
        ("@anastasia @nobody @outsider @", []),
        ("@room", []),
    ],
)
def test_members_who_are_called_are_marked_and_kept(
    room: Room, owner: User, outsider: User, text: str, names: list[str]
) -> None:
    member = join(room, "member")
    join(room, "ana")
    join(room, "ben.b")
    message = say(room, member, text)
    assert called(message) == names
    assert sorted(set(re.findall(r'data-username="([^"]+)"', message.html))) == names


def test_mark_is_the_name_and_nothing_else(room: Room, owner: User) -> None:
    join(room, "ana")
    message = say(room, owner, "Hello @Ana!")
    assert message.html == '<p>Hello <span class="mention" data-username="ana">@Ana</span>!</p>'


def test_everybody_is_called_by_those_who_run_the_room(room: Room, owner: User) -> None:
    member, other = join(room, "member"), join(room, "other")
    moderator = join(room, "moderator", Membership.Role.MODERATOR)
    assert called(say(room, member, "@room")) == []
    assert called(say(room, moderator, "@room and @other")) == ["*", "other"]
    assert [count(room, person) for person in (owner, member, other, moderator)] == [1, 1, 2, 0]


def test_number_is_of_unread_messages_of_others(room: Room, owner: User) -> None:
    ana = join(room, "ana")
    first, _own = say(room, owner, "@ana one"), say(room, ana, "@ana myself")
    say(room, owner, "@ana two")
    assert (count(room, ana), count(room, owner)) == (2, 0)
    mark_read(Membership.objects.get(room=room, user=ana), position=first.position)
    assert count(room, ana) == 1
    link = f'data-room="{room.slug}"'
    page = client_of(ana).get("/rooms/").content.decode()
    assert '<span data-count>1</span> <span class="visually-hidden">mentions</span>' in page[page.index(link) :][:900]


def test_edit_and_deletion_count_anew(room: Room, owner: User) -> None:
    ana, ben = join(room, "ana"), join(room, "ben")
    message = say(room, owner, "@ana and @room")
    message = edit_message(message, text="@ben and @room", actor=owner)
    assert called(message) == ["*", "ben"]
    assert (count(room, ana), count(room, ben)) == (1, 2)
    edit_message(message, text="nobody", actor=owner)
    assert (count(room, ana), count(room, ben)) == (0, 0)
    message = edit_message(message, text="@ana", actor=owner)
    assert count(room, ana) == 1
    delete_message(message, actor=owner)
    assert Mention.objects.count() == 0


def test_who_left_is_not_called(room: Room, owner: User) -> None:
    ana = join(room, "ana")
    leave(room, ana)
    assert called(say(room, owner, "@ana")) == []


def test_at_most_fifty_are_told(room: Room, owner: User) -> None:
    for number in range(NAMES_MAX + 1):
        join(room, f"person-{number}")
    message = say(room, owner, " ".join(f"@person-{number}" for number in range(NAMES_MAX + 1)))
    assert len(called(message)) == NAMES_MAX
    with CaptureQueriesContext(connection) as queries:
        say(room, owner, "@nobody " * 900)
    assert len(queries) < 10


def test_text_without_names_asks_nothing_more(room: Room, owner: User) -> None:
    say(room, owner, "warm")
    with CaptureQueriesContext(connection) as plain:
        say(room, owner, "plain")
    asked = " ".join(query["sql"] for query in plain)
    assert "messaging_mention" not in asked
    assert 'FROM "rooms_membership"' not in asked


def test_only_public_rooms_become_links(room: Room, private_room: Room, owner: User) -> None:
    text = f"#{room.slug} #{private_room.slug} #nowhere [#{room.slug}](https://example.org/) `#{room.slug}`"
    html = say(room, owner, text).html
    assert html.count(f'<a class="room-name" href="/rooms/{room.slug}/"') == 1
    assert f"#{private_room.slug} #nowhere" in html
    html = say(private_room, owner, text).html
    assert f"#{private_room.slug} #nowhere" in html, "not in the room itself either: what is forwarded would tell of it"


def test_people_who_are_called_are_told_at_once(transactional_db: None, room: Room, owner: User) -> None:
    ana, other = join(room, "ana"), RoomFactory.create(actor=owner)
    MembershipFactory.create(room=other, member=ana)
    with Ear(ACTIVITY_CHANNEL) as ear:
        message = say(room, owner, "@ana")
        edit_message(message, text="@room", actor=owner)
        edit_message(message, text="@room!", actor=owner)
        say(other, owner, "nobody")
        heard = [payload for payload in ear.heard() if payload.startswith("called")]
    assert heard == [f"called {room.pk} {ana.pk}", f"called {room.pk} *"]


@pytest.mark.parametrize(
    ("html", "plain"),
    [
        ("<p>a <strong>bold</strong> &lt;word&gt;</p>\n<p>and</p>", "a bold <word> and"),
        ("", ""),
        ("<p>" + "x" * 200 + "</p>", "x" * 119 + "…"),
        ('<p>x</p><span class="' + "y" * 3_000 + '">z</span>', "x"),
    ],
)
def test_excerpt_is_plain(html: str, plain: str) -> None:
    assert excerpt(html, 120) == plain


def test_whoever_leaves_the_site_while_they_are_called_is_called_no_more(room: Room, owner: User) -> None:
    """They were looked up before the room was locked."""
    going = join(room, "going")
    known = known_in("@going hello", room=room, author=owner)
    leave(room, going)
    going.delete()
    message = MessageFactory.create(room=room, author=owner)
    message.html = markup.render("@going hello", known.names)
    assert keep(message, known) == []
    connection.check_constraints()
    assert not Mention.objects.exists()
