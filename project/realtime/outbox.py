"""One open stream's way of writing: only when its socket takes it, and with no queue."""

from __future__ import annotations

import asyncio

from project.realtime.wire import Chunk, Wire


class Outbox:
    """Writes to one wire. Whoever has more to say when `is_free` again does so in `pump`."""

    __slots__ = ("_reading", "closed", "wire")

    def __init__(self, wire: Wire) -> None:
        self.closed = False
        self.wire = wire
        self._reading: asyncio.Task[None] | None = None  # of what is to be written next
        wire.writer = self

    @property
    def is_free(self) -> bool:
        return not (self.wire.is_full or self.closed or self._reading)

    def pump(self) -> None:
        """Write what there is to write; called whenever the socket takes bytes again."""
        raise NotImplementedError

    def left(self) -> None:
        """Be forgotten by whoever knows the stream; called once, when nothing will be written any more."""
        raise NotImplementedError

    def offer(self, frame: bytes) -> None:
        """Send an ephemeral frame, or drop it when the socket is not ready."""
        if self.is_free:
            self.wire.write(Chunk(frame))

    def end(self, farewell: bytes) -> None:
        """Send a last frame if the socket takes one now, and close."""
        if self.closed:
            return
        if self.wire.is_full:
            self.wire.abort()
        else:
            self.wire.end(Chunk(farewell))
        self.close()

    def close(self) -> None:
        """Stop: nothing is sent any more."""
        if self.closed:
            return
        self.closed = True
        if self._reading and self._reading is not asyncio.current_task():
            self._reading.cancel()
        self.left()
