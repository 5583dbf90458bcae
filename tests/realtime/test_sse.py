from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from project.realtime import sse


def decode(stream: bytes) -> list[dict[str, str]]:
    """Read a stream as the HTML standard says (9.2.6), with all three line ends."""
    events: list[dict[str, str]] = []
    fields: dict[str, str] = {}
    text = stream.decode().replace("\r\n", "\n").replace("\r", "\n")
    for line in text.split("\n"):
        if not line:
            if "data" in fields:
                events.append(fields)
            fields = {}
            continue
        name, _, value = line.partition(":")
        fields[name] = fields[name] + "\n" + value.removeprefix(" ") if name in fields else value.removeprefix(" ")
    return events


@given(text=st.text(), position=st.integers(1, 2**63 - 1))
def test_any_text_comes_back_as_one_event(text: str, position: int) -> None:
    text = text.encode("utf-8", "ignore").decode()
    (event,) = decode(sse.identified(sse.frame("message_created", {"text": text}), str(position)))
    assert event["id"] == str(position)
    assert event["event"] == "message_created"
    assert json.loads(event["data"]) == {"text": text}


def test_line_ends_in_a_text_begin_no_field() -> None:
    hostile = "\n\ndata: x\nevent: reset\nid: 9\n\r\r\n\u2028\u0085"
    (event,) = decode(sse.identified(sse.frame("message_created", {"text": hostile}), "1"))
    assert set(event) == {"id", "event", "data"}
    assert event["id"] == "1"


def test_frame_without_a_position_is_ephemeral() -> None:
    assert b"id:" not in sse.frame("ping", {})
