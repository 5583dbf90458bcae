from __future__ import annotations

import json

import pytest

from project.realtime.feed import CHUNK_BYTES, CHUNK_ENTRIES, CHUNKS_BYTES, TAIL_BYTES, TAIL_ENTRIES, Entry, Feed


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


LONG = "x" * 8_000  # in the state and in the row, as in a message's text and HTML


def test_long_messages_are_kept_and_joined_up_to_a_number_of_bytes() -> None:
    feed = Feed(1, "room_x", head=0)
    feed.append(entry(position, LONG) for position in range(1, TAIL_ENTRIES + 1))
    assert TAIL_ENTRIES * len(LONG) * 2 > TAIL_BYTES, "by their number all of them would be kept"
    kept = feed.head - feed.tail_start
    assert 0.9 * TAIL_BYTES < kept * entry(1, LONG).size <= TAIL_BYTES
    found = feed.after(feed.tail_start)
    assert 1 < len(found) < CHUNK_ENTRIES
    assert 0.8 * CHUNK_BYTES < len(feed.chunk(found, "html").data) <= 1.1 * CHUNK_BYTES


def test_message_longer_than_all_bounds_is_sent_alone() -> None:
    feed = Feed(1, "room_x", head=0)
    feed.append([entry(1), entry(2, "x" * TAIL_BYTES), entry(3)])
    assert positions(feed.after(2)) == [3]
    feed.append([entry(4, "x" * TAIL_BYTES)])
    assert positions(feed.after(3)) == [4]


def test_edits_count_as_long_as_they_make_a_message() -> None:
    feed = Feed(1, "room_x", head=0)
    feed.append(entry(position, subject=position) for position in range(1, 301))
    for position in range(301, 601):
        feed.append([entry(position, LONG, subject=position - 300, revises=True)])
    assert 0.9 * TAIL_BYTES < sum(each.size for each in feed._tail) <= TAIL_BYTES


def test_streams_in_many_places_do_not_have_a_chunk_each_kept() -> None:
    feed = Feed(1, "room_x", head=0)
    feed.append(entry(position, "x" * 4_000) for position in range(1, TAIL_ENTRIES + 1))
    held = [feed.chunk(feed.after(position), "html") for position in range(feed.tail_start, feed.head - 20)]
    assert sum(len(chunk.framed) for chunk in held) > 2 * CHUNKS_BYTES
    assert sum(len(chunk.framed) for chunk in feed._chunks.values()) <= CHUNKS_BYTES
