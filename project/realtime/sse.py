"""Server-Sent Events frames (HTML standard, section 9.2, "Server-sent events")."""

from __future__ import annotations

import json
from typing import Any

HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
}


def frame(event: str, data: dict[str, Any]) -> bytes:
    """Return one event as UTF-8. It is ephemeral: a client does not resume after it."""
    # JSON escapes every line end in a string, so that no text can end the field and begin another.
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"event: {event}\ndata: {body}\n\n".encode()


def identified(frame: bytes, identity: str) -> bytes:
    """Return the frame with an id, which makes it durable: a client that comes back says it as `Last-Event-ID`."""
    return b"id: " + identity.encode() + b"\n" + frame


def retry(milliseconds: int) -> bytes:
    """Return the field that tells a client how long to wait before it reconnects."""
    return f"retry: {milliseconds}\n\n".encode()
