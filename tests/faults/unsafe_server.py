"""`manage.py serve` with one safety taken off, for controls: a harness that can't show loss proves nothing.

EARSHOT_FAULTS_WITHOUT names the safety. The workers import this module anew, and so lack it too.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import uuid
from collections.abc import Callable, Iterable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
django.setup()

from django.db import transaction  # noqa: E402 (Django is set up first)

from messaging import actions, posting  # noqa: E402
from project.realtime import presence, subscription  # noqa: E402
from project.realtime.feed import CHUNK_ENTRIES, Entry, Feed  # noqa: E402
from project.realtime.following import Following  # noqa: E402
from project.realtime.revoking import Revoking  # noqa: E402
from project.realtime.subscription import Leg, Subscription, Ticket  # noqa: E402
from rooms.models import Room  # noqa: E402

BLOCKED_SECONDS = 2.0

# Instead of the room's counter, moved under its row lock.
SERIAL = """
WITH moved AS (
    SELECT nextval('faults.position') AS position
    WHERE NOT EXISTS (SELECT FROM messaging_message WHERE author_id = %(author)s AND client_id = %(client_id)s)
"""


def without_reconciling() -> None:
    """What a lost wake-up announced stays unread."""

    async def reconcile(following: Following) -> None:
        following.reconciled_at = time.monotonic()

    setattr(Following, "reconcile", reconcile)  # noqa: B010 (mypy forbids to assign to a method)


def without_positions() -> None:
    """The cursor is a serial number, given out before the commit and under no lock, as an `id` would be."""

    def lock(_room_id: int) -> None:
        return

    def insert(room_id: int, **said: Any) -> posting.Row | None:
        row = with_locked_position(room_id, **said)
        if row:
            behind = Room.objects.filter(pk=room_id, last_position__lt=row.position)
            transaction.on_commit(lambda: behind.update(last_position=row.position) and None)
        return row

    with_locked_position = posting.insert
    posting._POST = SERIAL + posting._POST[posting._POST.index("), posted AS (") :]
    setattr(posting, "lock", lock)  # noqa: B010
    setattr(posting, "insert", insert)  # noqa: B010
    without_gaps_noticed()


def without_gaps_noticed() -> None:
    """A feed takes whatever is newer than the last thing it took."""

    def append(feed: Feed, entries: Iterable[Entry]) -> None:
        for entry in entries:
            feed._tail.append(entry)
            feed.head = entry.position
        feed._chunks.clear()
        for stream in tuple(feed.subscriptions):
            stream.pump()

    def after(feed: Feed, position: int) -> list[Entry]:
        return [entry for entry in feed._tail if entry.position > position][:CHUNK_ENTRIES]

    setattr(Feed, "append", append)  # noqa: B010
    setattr(Feed, "after", after)  # noqa: B010


def without_idempotency() -> None:
    """Every attempt is another message."""
    post_message = actions.post_message

    def post_anew(room: Room, *, client_id: uuid.UUID, **said: Any) -> actions.Posted:
        return post_message(room, client_id=uuid.uuid4(), **said)

    setattr(actions, "post_message", post_anew)  # noqa: B010


def without_revocation() -> None:
    """An open stream goes on whatever becomes of its reader."""

    async def end(revoking: Revoking, streams: list[Subscription], ended: Callable[..., Any]) -> None:
        return

    async def are_good(revoking: Revoking, tickets: tuple[Ticket, ...]) -> bool:
        return True

    def entitled(leg: Leg, entries: list[Entry]) -> list[Entry]:
        return entries

    setattr(Revoking, "_end", end)  # noqa: B010
    setattr(Revoking, "are_good", are_good)  # noqa: B010
    setattr(subscription, "_entitled", entitled)  # noqa: B010


def without_patience() -> None:
    """Nothing is missing: what a process told of its viewers decays in seconds, so that a test need not wait."""
    presence.PULSE_SECONDS, presence.DECAY_SECONDS, presence.GRACE_SECONDS = 1.0, 4.0, 0.5


def with_blocking_signal() -> None:
    """Nothing is missing: SIGUSR1 blocks a worker's event loop for BLOCKED_SECONDS, as a careless call would."""
    signal.signal(signal.SIGUSR1, lambda _number, _frame: time.sleep(BLOCKED_SECONDS))


SAFETIES: dict[str, Callable[[], None]] = {
    "reconciliation": without_reconciling,
    "positions": without_positions,
    "idempotency": without_idempotency,
    "revocation": without_revocation,
    "patience": without_patience,
    "nothing": with_blocking_signal,
}

# Both in the supervisor and in the workers it spawns, to whom this module is `__mp_main__`.
if __name__ in {"__main__", "__mp_main__"}:
    SAFETIES[os.environ["EARSHOT_FAULTS_WITHOUT"]]()

if __name__ == "__main__":
    from manage import main

    sys.exit(main())
