"""How often it is told that somebody is typing."""

from __future__ import annotations

import threading
import time

SECONDS = 6  # how long clients show it
_INTERVAL_SECONDS = 2.0
_REMEMBERED_MAX = 10_000

_told_at: dict[tuple[int, int], float] = {}
_lock = threading.Lock()


def is_due(room_id: int, user_id: int) -> bool:
    """Return whether this process may tell of it again, and take it as told if so."""
    key, now = (room_id, user_id), time.monotonic()
    with _lock:
        if now - _told_at.get(key, -_INTERVAL_SECONDS) < _INTERVAL_SECONDS:
            return False
        if len(_told_at) >= _REMEMBERED_MAX:
            _told_at.clear()
        _told_at[key] = now
        return True
