"""Sending wake-ups. A wake-up carries positions, ids and names, never what people wrote: any role may LISTEN."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from project.realtime import prepared

# Beside the channels of the logs, every process hears these two.
CONTROL_CHANNEL = "earshot_control"
ACTIVITY_CHANNEL = "earshot_activity"

Notification = tuple[str, str]  # (channel, payload)


def publish(channel: str, payload: str) -> None:
    """Send one NOTIFY in a statement of its own (the caller has no transaction open).

    Raises `django.db.Error` when it can't be sent; readers then find what it announced by themselves, seconds later.
    """
    publish_all([(channel, payload)])


def publish_all(notifications: Sequence[Notification]) -> None:
    """Send several NOTIFYs in one statement; raises as `publish` does."""
    channels = [channel for channel, _ in notifications]
    payloads = [payload for _, payload in notifications]
    prepared.fetch(
        "SELECT pg_notify(channel, payload) FROM unnest(%s::text[], %s::text[]) AS sent(channel, payload)",
        [channels, payloads],
    )


def ephemeral(event: str, data: dict[str, Any], *, sender: int | None = None, only: Sequence[int] = ()) -> str:
    """Return the payload that has streams of a log shown an event that is not in it: `only` theirs, or all but one."""
    # Without a `sender` where it is for a few: a process of before this would show it to all others.
    shown_to = {"only": list(only)} if sender is None else {"sender": sender}
    return json.dumps({"event": event, "data": data, **shown_to})


def activity(key: int, actor: int | None) -> str:
    """Return the payload, for ACTIVITY_CHANNEL, that tells of something new to read in a log."""
    return f"new {key} {actor or 0}"


def log_changed(key: int) -> str:
    """Return the payload, for ACTIVITY_CHANNEL, that tells all readers of a log that they may not be any more."""
    return f"log {key}"


def was_read(viewer: int, key: int, position: int, *, is_unread: bool) -> str:
    """Return the payload, for ACTIVITY_CHANNEL, that tells how far a viewer has read a log, and if there is more."""
    return f"read {viewer} {key} {position} {int(is_unread)}"


def logs_changed(viewer: int) -> str:
    """Return the payload, for ACTIVITY_CHANNEL, that tells that a viewer may read other logs than before."""
    return f"logs {viewer}"


def mentioned(key: int, viewers: Sequence[int] | None) -> str:
    """Return the payload, for ACTIVITY_CHANNEL, that tells that a log calls some of its viewers, or all, or no more."""
    return f"called {key} {'*' if viewers is None else ','.join(map(str, viewers))}"
