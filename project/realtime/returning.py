"""How long clients are asked to wait before they come back, so that all together come at a bearable rate."""

from __future__ import annotations

import random
from math import inf

from project.realtime import sse

RETURNS_PER_SECOND = 150  # aimed at, of all processes of this machine; what is opened meanwhile comes on top
SOONEST_SECONDS = 1.0
SPREAD_SECONDS = (6.0, 58.0)  # for few streams, and for however many
FADING = 0.95  # what a crowd that has gone still counts for after each tick


class Returning:
    """The times at which the streams of this process would come back if all of them were cut now.

    Each stream has a random one, out of a span that grows with their number; it is told when the stream opens, and anew
    with each ping, as their number changes. A crowd that has just been cut off still counts: it is on its way back. One
    that is growing counts for more than it is, since what the first of them are told has to do until their next ping.
    """

    def __init__(self) -> None:
        self.processes = 1
        self._crowd = 0.0
        self._opened_lately = 0.0

    def count_opened(self, streams: int) -> None:
        """Take in that there is one stream more, and how many that makes."""
        self._opened_lately += 1
        self._crowd = max(self._crowd, streams + self._opened_lately)

    def tick(self, streams: int) -> None:
        """Take in how many streams there are now; called once a second."""
        self._opened_lately *= FADING
        self._crowd = max(streams + self._opened_lately, self._crowd * FADING)

    @property
    def longest(self) -> int:
        """The longest wait that anybody is asked for at the moment, in milliseconds."""
        few, many = SPREAD_SECONDS
        spread = min(many, max(few, self._crowd * self.processes / RETURNS_PER_SECOND))
        return round(1_000 * (SOONEST_SECONDS + spread))

    def retry(self, most: float = inf) -> bytes:
        """Return the field that tells one client how long to wait, at `most` so many seconds."""
        longest = int(min(1_000 * most, self.longest))
        return sse.retry(random.randint(round(1_000 * SOONEST_SECONDS), longest))  # noqa: S311 (spreads load)

    def ping(self) -> bytes:
        """Return a ping, with which a client learns its time anew, and the longest that any has."""
        return self.retry() + sse.frame("ping", {"longest_retry": self.longest})
