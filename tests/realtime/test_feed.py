from __future__ import annotations

import json

import pytest

from project.realtime.feed import CHUNK_ENTRIES, TAIL_ENTRIES, Entry, Feed


def entry(position: int, text: str = "", *, subject: int | None = None, revises: bool = False) -> Entry:
    return Entry(
        position, "message", {"position": position}, state={"text": text}, row=text, subject=subject, revises=revises
    )


def positions(entries: list[Entry]) -> list[int]:
    return [each.position for each in entries]


def test_feed_gives_what_follows_a_position() -> None:
    feed = Feed(1, "room_x", head=10)
    feed.append(entry(position) for position in (11, 12, 13))
    assert positions(feed.after(10)) == [11, 12, 13]
    assert positions(feed.after(12)) == [13]
    assert feed.after(13) == []
    assert feed.after(99) == []


def test_feed_refuses_a_gap() -> None:
    feed = Feed(1, "room_x", head=10)
    with pytest.raises(ValueError, match="does not follow"):
        feed.append([entry(12)])
    assert feed.head == 10


def test_feed_keeps_a_bounded_tail() -> None:
    feed = Feed(1, "room_x", head=0)
    feed.append(entry(position) for position in range(1, TAIL_ENTRIES + 101))
    assert feed.head == TAIL_ENTRIES + 100
    assert feed.tail_start == 100
    assert positions(feed.after(100)) == list(range(101, 101 + CHUNK_ENTRIES))


def test_deleted_text_is_gone_from_memory_too() -> None:
    feed = Feed(1, "room_x", head=0)
    feed.append([entry(1, "secret", subject=7), entry(2, "other", subject=8)])
    assert b"secret" in feed.chunk(feed.after(0), "html").data
    feed.append([entry(3, "", subject=7, revises=True)])
    for format in ("json", "html"):
        replay = feed.chunk(feed.after(0), format).data
        assert b"secret" not in replay
        assert b"other" in replay


def test_quote_of_a_deleted_text_is_forgotten_and_read_from_the_table_again() -> None:
    feed = Feed(1, "room_x", head=0)
    quoting = Entry(2, "message", {"position": 2}, state={"text": "> secret"}, subject=8, quotes=7)
    feed.append([entry(1, "secret", subject=7), quoting, entry(3, "after", subject=9)])
    assert b"secret" in feed.chunk(feed.after(0), "json").data
    feed.append([entry(4, "", subject=7, revises=True)])
    assert feed.tail_start == 2
    assert b"secret" not in feed.chunk(feed.after(2), "json").data


def test_frames_have_the_row_only_where_it_is_asked_for() -> None:
    one = entry(1, "hi")
    assert json.loads(one.frame("json").split(b"data: ")[1]) == {"position": 1, "text": "hi"}
    assert json.loads(one.frame("html").split(b"data: ")[1]) == {"position": 1, "text": "hi", "row": "hi"}


def test_frames_are_encoded_once_for_all_streams() -> None:
    feed = Feed(1, "room_x", head=0)
    feed.append([entry(1), entry(2)])
    assert feed.chunk(feed.after(0), "json") is feed.chunk(feed.after(0), "json")
