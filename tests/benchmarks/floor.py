"""The floor: what writing the bytes costs, and nothing else: `python -m tests.benchmarks.floor`.

The event loop is the product's (uvloop). Every connection is a stream, whatever it asks for.
"""

from __future__ import annotations

import asyncio
import base64
import time
from typing import cast

from tests.benchmarks import answering

HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"
    b"d\r\nretry: 3000\n\n\r\n"
)


class Connection(asyncio.Protocol):
    def __init__(self, writers: list[asyncio.Transport]) -> None:
        self._writers = writers

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is not one by inheritance

    def data_received(self, data: bytes) -> None:
        self._transport.write(HEAD)
        self._writers.append(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport in self._writers:
            self._writers.remove(self._transport)


class Floor:
    def __init__(self) -> None:
        self._writers: list[asyncio.Transport] = []

    def commands(self) -> dict[str, answering.Answer]:
        return {"listen": self.listen, "broadcast": self.broadcast}

    async def listen(self) -> int:
        """Return the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self._writers), "127.0.0.1", 0, backlog=2048)
        return int(self._server.sockets[0].getsockname()[1])

    async def broadcast(self, frames: list[str], rate: float) -> None:
        """Write each frame (base64) to every connection: so many a second or, at rate 0, one turn of the loop each."""
        began = time.monotonic()
        for number, frame in enumerate(frames):
            data = base64.b64decode(frame)
            chunk = b"%x\r\n%b\r\n" % (len(data), data)
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()) if rate else 0)
            for writer in self._writers:
                writer.write(chunk)


if __name__ == "__main__":
    answering.run(lambda: Floor().commands())
