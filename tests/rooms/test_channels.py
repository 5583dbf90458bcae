from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

import psycopg
import pytest
from django.db import DataError, IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql

from accounts.models import User
from project.realtime.notify import publish
from project.realtime.reader import connection_settings
from rooms import actions
from rooms.channels import CHANNEL_MAX, CHANNEL_PATTERN, channel_name
from rooms.models import Room
from tests.cast import HEARD_SECONDS

HOSTILE = (
    '"; DROP TABLE rooms_room; --',
    "x'; NOTIFY other; --",
    'a"b',
    "a\\b",
    "$$; SELECT pg_sleep(9); $$",
    "room_x; UNLISTEN *",
    "%s %(x)s {} {0}",
    "a\x00b\x1b[0m\r\n",
    "\ud800 broken",
    "/* */ --",
    "",
    " ",
    "_" * 300,
    "a" * 300,
    "🚪" * 60,
    "ﬁﬀ①Ⅷ½ﷺ",
    "İıŞß",
)


def names_in_every_script(number: int) -> Iterator[str]:
    """Yield names out of consecutive stretches of all of Unicode that is assigned."""
    letters = [chr(code) for code in range(0x20, 0x31350) if unicodedata.category(chr(code)) not in {"Cn", "Co", "Cs"}]
    step = max(1, len(letters) // number)
    for place in range(number):
        start = place * step % len(letters)
        yield "".join(letters[start : start + 1 + place % 60])


def assert_safe(channel: str) -> None:
    assert re.fullmatch(r"room_[a-z0-9_]+_[0-9a-f]{12}", channel), channel
    assert re.search(CHANNEL_PATTERN, channel)
    assert len(channel.encode()) <= 63


@given(st.text(st.characters(), max_size=120))
def test_any_name_at_all_makes_a_safe_channel(name: str) -> None:
    assert_safe(channel_name(name))


def test_ten_thousand_names_in_every_script_make_safe_and_unique_channels() -> None:
    names = list(names_in_every_script(10_000))
    channels = [channel_name(name) for name in names]
    for channel in channels:
        assert_safe(channel)
    assert len(set(channels)) == 10_000
    scripts = {unicodedata.name(name[0], "?").split()[0] for name in names}
    assert {"LATIN", "GREEK", "CYRILLIC", "ARABIC", "HEBREW", "DEVANAGARI", "THAI", "HIRAGANA", "HANGUL"} <= scripts
    assert len(scripts) > 150


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_name_makes_a_safe_channel(name: str) -> None:
    assert_safe(channel_name(name))


def test_same_name_never_makes_the_same_channel() -> None:
    assert len({channel_name("General") for _ in range(1_000)}) == 1_000


def test_channel_says_what_it_can_of_the_name() -> None:
    assert channel_name("Café  Zürich #1").startswith("room_cafe_zurich_1_")
    assert channel_name("日本").startswith("room_x_")
    assert len(channel_name("a" * 60)) == CHANNEL_MAX


def test_channels_carry_a_notification_through_the_database(db: None) -> None:
    sample = [channel_name(name) for name in (*names_in_every_script(150), *HOSTILE)]
    with psycopg.connect(**connection_settings(), autocommit=True) as listener:
        for channel in sample:
            listener.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        listening = {row[0] for row in listener.execute("SELECT pg_listening_channels()")}
        assert listening == set(sample)
        with psycopg.connect(**connection_settings(), autocommit=True) as sender:
            for place, channel in enumerate(sample):
                sender.execute("SELECT pg_notify(%s, %s)", [channel, str(place)])
        heard = [
            (each.channel, each.payload) for each in listener.notifies(timeout=HEARD_SECONDS, stop_after=len(sample))
        ]
    assert heard == [(channel, str(place)) for place, channel in enumerate(sample)]


@pytest.mark.django_db(transaction=True)
def test_publish_reaches_a_listener_and_reads_nothing_out_of_its_arguments() -> None:
    channel, payload = channel_name("x"), "'); DROP TABLE rooms_room; --"
    with psycopg.connect(**connection_settings(), autocommit=True) as listener:
        listener.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        publish(channel, payload)
        heard = [(each.channel, each.payload) for each in listener.notifies(timeout=HEARD_SECONDS, stop_after=1)]
    assert heard == [(channel, payload)]
    assert Room.objects.count() == 0


def test_rename_never_changes_the_channel(room: Room, owner: User) -> None:
    channel, slug = room.channel_name, room.slug
    actions.update_room(room, name="Galley", topic="", actor=owner)
    room.refresh_from_db()
    assert (room.name, room.channel_name, room.slug) == ("Galley", channel, slug)


@pytest.mark.parametrize(
    "channel",
    [
        "",
        "room_",
        "general",
        "room_x",
        "room_X_0123456789ab",
        "room_é_0123456789ab",
        "room_x_0123456789ag",
        "room_x_0123456789ab\n",
        "\nroom_x_0123456789ab",
        'room_x"; DROP TABLE rooms_room; --_0123456789ab',
        "room x_0123456789ab",
    ],
)
def test_database_refuses_an_unsafe_channel(room: Room, channel: str) -> None:
    good = Room.objects.filter(pk=room.pk)
    assert good.update(channel_name="room_x_0123456789ab") == 1
    with pytest.raises(IntegrityError, match="room_channel_name_safe"), transaction.atomic():
        good.update(channel_name=channel)


def test_database_refuses_a_channel_that_postgres_would_cut(room: Room) -> None:
    with pytest.raises(DataError, match=r"varying\(63\)"), transaction.atomic():
        Room.objects.filter(pk=room.pk).update(channel_name=f"room_{'a' * 46}_0123456789ab")


def test_database_refuses_a_channel_of_another_room(room: Room, private_room: Room) -> None:
    with pytest.raises(IntegrityError, match="channel_name"), transaction.atomic():
        Room.objects.filter(pk=room.pk).update(channel_name=private_room.channel_name)


def test_database_cuts_identifiers_where_we_say_it_does(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW max_identifier_length")
        assert int(cursor.fetchone()[0]) == CHANNEL_MAX
