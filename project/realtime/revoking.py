"""Ending streams whose viewers were signed out, before anything is shown that was written after that."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable

from django.db import DatabaseError

from project.realtime.reader import ReaderThread, why
from project.realtime.source import Source
from project.realtime.subscription import Subscription, Ticket

logger = logging.getLogger(__name__)

# Between such portions the reader thread is free for the logs.
RECHECKED_AT_ONCE = 500
OPENING_SECONDS = 30.0  # longer than a request takes from its view to its stream


class Revoking:
    """A subject is what a revocation is about: `user:<viewer>` or `session:<session>`.

    That a membership ended is an entry of its log, and needs none of this.
    """

    def __init__(
        self,
        source: Source,
        reader: ReaderThread,
        streams: Callable[[], list[Subscription]],
        streams_of: Callable[[int], list[Subscription]],
    ) -> None:
        self._source = source
        self._reader = reader
        self._streams = streams
        self._streams_of = streams_of
        self._lately: dict[str, float] = {}  # subjects, by when this process learnt of them
        self._era = 0  # the number of the last revocation that was honoured here

    async def honour(self, era: int) -> None:
        """Take in what was revoked before entries of that era were read, and so before they are shown.

        The control channel tells of it as well, but at its own time; this is in the order of the commits. Raises
        `DatabaseError`, and then nothing may be shown.
        """
        if era == self._era:
            return
        revocations = await self._reader.run(self._source.revocations_after, self._era)
        if revocations.subjects is None:
            await self._end_signed_out(self._streams())
        else:
            self._lately.update(dict.fromkeys(revocations.subjects, time.monotonic()))
            await self._end_signed_out(self._streams_about(revocations.subjects))
        self._era = revocations.era

    def hear(self, payload: str) -> list[Subscription]:
        """Take in what the control channel tells, and return the streams to be rechecked.

        Raises `ValueError` for what nobody tells there.
        """
        kind, viewer = payload.split(":")
        streams = self._streams_of(int(viewer)) if kind == "user" else []
        self._lately[payload] = time.monotonic()
        return streams

    async def are_good(self, tickets: tuple[Ticket, ...]) -> bool:
        """Whether a stream may open: what was learnt after its view had looked may have ended its right."""
        about = {f"user:{tickets[0].viewer}", f"session:{tickets[0].session}"}
        checked = None
        while checked != self._era and not about.isdisjoint(self._lately):
            checked = self._era
            try:
                if await self._reader.run(self._source.signed_out, list(tickets)):
                    return False
            except DatabaseError:
                return False
        return True

    async def recheck(self, streams: list[Subscription] | None = None) -> None:
        """Ask whether these streams' viewers are signed in, or of all streams whether they would still be given out."""
        try:
            if streams is None:
                await self._end(self._streams(), self._source.revoked)
            else:
                await self._end_signed_out(streams)
        except DatabaseError as error:
            logger.warning("The open streams could not be checked: %s", why(error))

    def forget_old(self, now: float) -> None:
        self._lately = {subject: at for subject, at in self._lately.items() if now - at < OPENING_SECONDS}

    def _streams_about(self, subjects: Iterable[str]) -> list[Subscription]:
        named = [subject.partition(":") for subject in subjects]
        sessions = {name for kind, _, name in named if kind == "session"}
        found = [stream for stream in self._streams() if stream.session in sessions] if sessions else []
        for kind, _, name in named:
            if kind == "user":
                found += self._streams_of(int(name))
        return found

    async def _end_signed_out(self, streams: list[Subscription]) -> None:
        # That a membership has ended is left to its log: the stream shows what was said until then.
        await self._end(streams, self._source.signed_out)

    async def _end(self, streams: list[Subscription], ended: Callable[[list[Ticket]], set[Ticket]]) -> None:
        for first in range(0, len(streams), RECHECKED_AT_ONCE):
            some = streams[first : first + RECHECKED_AT_ONCE]
            tickets = [leg.ticket for stream in some for leg in stream.legs]
            revoked = await self._reader.run(ended, tickets)
            for stream in some:
                for leg in tuple(stream.legs):
                    if leg.ticket in revoked:
                        stream.revoke(leg)
