"""What this package asks of whoever keeps the logs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from project.realtime.feed import Entry
from project.realtime.subscription import Ticket
from project.realtime.unread import Reading


@dataclass(frozen=True, slots=True)
class Revocations:
    """What ended elsewhere: `user:<viewer>` or `session:<session>` each, or None when they are not known one by one.

    `era` is the number of the last of them.
    """

    era: int
    subjects: frozenset[str] | None


class Source(Protocol):
    """Called in the reader thread; may raise `django.db.DatabaseError`."""

    def read_after(self, key: int, position: int, limit: int, *, rows: bool) -> list[Entry]:
        """Return up to `limit` entries of a log after a position, in order and without gaps, with HTML if `rows`."""

    def heads(self, keys: list[int]) -> dict[int, int]:
        """Return the last position of each log; a log that is no more is absent. Without keys, too, it is looked."""

    def revoked(self, tickets: list[Ticket]) -> set[Ticket]:
        """Return the tickets that would not be given out any more."""

    def signed_out(self, tickets: list[Ticket]) -> set[Ticket]:
        """Return those of them whose viewers are not signed in any more."""

    def revocations_after(self, era: int) -> Revocations:
        """Return who was signed out since the revocation with that number."""

    def readings(self, viewers: list[int]) -> dict[int, Reading]:
        """Return what each viewer reads."""
