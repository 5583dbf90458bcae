"""Answers with a stored file: whole or in part, a piece at a time, as fast as its reader takes it."""

from __future__ import annotations

import asyncio
import os
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import IO

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.http import content_disposition_header

from project.realtime.afterwards import SentAfterwards, goes_on_afterwards
from project.realtime.wire import Receive, Send

PIECE_BYTES = 256 * 1024
STALL_SECONDS = 30.0
# Nothing in a file may run, load or be framed, whatever it is and however it is opened.
POLICY = "sandbox; default-src 'none'"
READERS = ThreadPoolExecutor(max_workers=4, thread_name_prefix="files")
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


class FileResponse(SentAfterwards):
    """A part of an open file."""

    def __init__(self, request: HttpRequest, file: IO[bytes], start: int, length: int) -> None:
        super().__init__()
        self._file = file
        self._start = start
        self._left = 0 if request.method == "HEAD" else length
        if not goes_on_afterwards(request):
            file.seek(start)
            self.content = file.read(self._left)
            file.close()

    async def send_body(self, receive: Receive, send: Send) -> None:
        gone = asyncio.create_task(wait_gone(receive))
        try:
            self._file.seek(self._start)
            is_over = False
            while not is_over and not gone.done():
                piece = await asyncio.get_running_loop().run_in_executor(READERS, self._next)
                is_over = self._left == 0
                await send_piece(send, piece, more=not is_over)
        except OSError:
            # The reader took nothing for too long, or the file is shorter than it was: the length can't be kept.
            abort(send)
        finally:
            self._file.close()
            gone.cancel()
            with suppress(asyncio.CancelledError):
                await gone

    def _next(self) -> bytes:
        piece = self._file.read(min(PIECE_BYTES, self._left))
        if not piece and self._left:
            raise OSError("the file ended early")
        self._left -= len(piece)
        return piece


def file_answer(
    request: HttpRequest, path: Path, *, content_type: str, filename: str, is_shown: bool, etag: str
) -> HttpResponse:
    """Answer with a file, or with the part of it that is asked for (RFC 9110, section 14; one part only).

    Raises `Http404` when the file is not there.
    """
    try:
        file = path.open("rb")
    except OSError:
        raise Http404 from None
    size = os.fstat(file.fileno()).st_size
    part = _part(request, size, etag)
    if part is None:
        file.close()
        response = HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    else:
        start, length = part
        response = FileResponse(request, file, start, length)
        response.headers["Content-Length"] = str(length)
        if part != (0, size):
            response.status_code = 206
            response.headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{size}"
    response.headers["Content-Type"] = content_type if is_shown else "application/octet-stream"
    response.headers["Content-Disposition"] = content_disposition_header(not is_shown, filename) or "inline"
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["ETag"] = f'"{etag}"'
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _part(request: HttpRequest, size: int, etag: str) -> tuple[int, int] | None:
    """Return the start and length asked for, or None for a part that the file does not have."""
    asked = _RANGE.fullmatch(request.headers.get("Range", ""))
    is_of_this = request.headers.get("If-Range", f'"{etag}"') == f'"{etag}"'
    if request.method != "GET" or not asked or asked[0] == "bytes=-" or not is_of_this:
        return 0, size
    first, last = asked[1], asked[2]
    if not first:
        length = min(size, int(last))
        return (size - length, length) if length else None
    start, end = int(first), min(size - 1, int(last or size))
    if last and int(last) < start:
        return 0, size  # no range at all, says the RFC
    return (start, end - start + 1) if start < size else None


def abort(send: Send) -> None:
    """Drop the connection: ASGI has no word for it, but Uvicorn's `send` belongs to an object that has a transport."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport:
        transport.abort()


async def wait_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def send_piece(send: Send, piece: bytes, *, more: bool) -> None:
    async with asyncio.timeout(STALL_SECONDS):
        await send({"type": "http.response.body", "body": piece, "more_body": more})
