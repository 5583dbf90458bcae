"""A ZIP file made while it is sent: of it never more than a piece is in memory, and nothing on the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from typing import IO, NamedTuple
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from django.http import HttpRequest
from django.utils.timezone import now

from project.files.serving import PIECE_BYTES, READERS, abort, send_piece, wait_gone
from project.files.store import path_of
from project.realtime.afterwards import SentAfterwards, goes_on_afterwards
from project.realtime.wire import Receive, Send


class Stored(NamedTuple):
    """A file of the store, and what it is called in the archive."""

    key: str
    name: str


class ArchiveResponse(SentAfterwards):
    """An archive of one open file, which is closed with it, and of files of the store."""

    has_length = False

    def __init__(self, request: HttpRequest, first: IO[bytes], name: str, others: Iterable[Stored]) -> None:
        super().__init__(content_type="application/zip")
        self._pieces = _pieces(first, name, others)
        if not goes_on_afterwards(request):
            self.content = b"".join(self._pieces)

    async def send_body(self, receive: Receive, send: Send) -> None:
        gone, loop = asyncio.create_task(wait_gone(receive)), asyncio.get_running_loop()
        try:
            while not gone.done():
                piece = await loop.run_in_executor(READERS, next, self._pieces, None)
                await send_piece(send, piece or b"", more=piece is not None)
                if piece is None:
                    return
        except OSError:  # its reader took nothing for too long, or a file can't be read to its end
            abort(send)
        finally:
            gone.cancel()
            with suppress(asyncio.CancelledError):
                await gone
            with suppress(ValueError):  # a thread is still in it, and it closes its files when that lets go
                self._pieces.close()


class _Pending:
    """What has been written and not yet been sent. It can't be sought in, so that the archive is written in one go."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: bytes, /) -> int:
        self._written += data
        return len(data)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass

    def taken(self) -> bytes:
        data = bytes(self._written)
        self._written.clear()
        return data


def _pieces(first: IO[bytes], name: str, others: Iterable[Stored]) -> Generator[bytes]:
    pending = _Pending()
    with first, ZipFile(pending, "w") as archive:
        yield from _entry(archive, pending, first, name, ZIP_DEFLATED)
        for other in others:
            with suppress(FileNotFoundError), path_of(other.key).open("rb") as file:  # it may be deleted by now
                yield from _entry(archive, pending, file, other.name, ZIP_STORED)
    yield pending.taken()


def _entry(archive: ZipFile, pending: _Pending, file: IO[bytes], name: str, method: int) -> Iterator[bytes]:
    entry = ZipInfo(name, now().timetuple()[:6])
    entry.compress_type = method
    with archive.open(entry, "w", force_zip64=True) as target:
        while piece := file.read(PIECE_BYTES):
            target.write(piece)
            if data := pending.taken():
                yield data
