"""What a client gets for whose stream there is no place: the next portion of its logs, so that it can go by polling."""

from __future__ import annotations

from collections.abc import Sequence

from project.realtime import sse
from project.realtime.returning import Returning
from project.realtime.subscription import Leg, ReadAfter, Subscription
from project.realtime.wire import Chunk, Wire

POLL_SECONDS = 15.0


class _Portion(Wire):
    """Takes one chunk, and keeps it."""

    __slots__ = ("data",)

    def __init__(self) -> None:
        super().__init__()
        self.data = b""

    def write(self, chunk: Chunk) -> None:
        self.data += chunk.data
        self.is_full = True

    def end(self, chunk: Chunk) -> None:
        self.write(chunk)

    def abort(self) -> None:
        """There is no connection to be dropped."""


async def next_portion(legs: Sequence[Leg], *, returning: Returning, read_after: ReadAfter, is_compound: bool) -> bytes:
    """Return the first of what stands after the legs' positions, in frames, and when to come for more.

    The client hears `full` behind it, and its next request goes on from what it was shown, as that of a stream does.
    Whether it may be shown that is to be found out once this has been awaited.
    """
    portion = _Portion()
    subscription = Subscription(
        legs,
        portion,
        returning=returning,
        read_after=read_after,
        leg_ended=lambda _subscription, _leg: None,
        left=lambda _subscription: None,
        is_compound=is_compound,
    )
    try:
        await subscription.send_once()
    finally:
        for leg in legs:
            leg.feed.leave(subscription)
    return returning.retry(most=POLL_SECONDS) + portion.data + sse.frame("full", {})
