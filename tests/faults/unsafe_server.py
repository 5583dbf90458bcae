"""`manage.py serve` with one safety taken off, for controls: a harness that can't show loss proves nothing.

EARSHOT_FAULTS_WITHOUT names the safety. The workers import this module anew, and so lack it too.
"""

from __future__ import annotations

import os
import sys
import time
import uuid
from collections.abc import Callable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
django.setup()

from django.db import transaction  # noqa: E402 (Django is set up first)

from messaging import actions, posting  # noqa: E402
from project.realtime import presence, subscription  # noqa: E402
from project.realtime.feed import Entry  # noqa: E402
from project.realtime.following import Following  # noqa: E402
from project.realtime.revoking import Revoking  # noqa: E402
from project.realtime.subscription import Leg, Subscription, Ticket  # noqa: E402
from rooms.models import Room  # noqa: E402
from tests.faults.unsafe_database import DATABASE  # noqa: E402
from tests.faults.unsafe_streams import STREAMS, without_gaps_noticed  # noqa: E402

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


SAFETIES: dict[str, Callable[[], None]] = {
    **DATABASE,
    "reconciliation": without_reconciling,
    "positions": without_positions,
    "idempotency": without_idempotency,
    "revocation": without_revocation,
    "patience": without_patience,
    **STREAMS,
}

# Both in the supervisor and in the workers it spawns, to whom this module is `__mp_main__`.
if __name__ in {"__main__", "__mp_main__"}:
    SAFETIES[os.environ["EARSHOT_FAULTS_WITHOUT"]]()

if __name__ == "__main__":
    from manage import main

    sys.exit(main())
