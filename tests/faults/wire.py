"""HTTP/1.1 and Server-Sent Events as a program of one's own would speak them, over one socket a request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httptools
from django.conf import settings

CSRF_SECRET = "f" * 32


class WireError(OSError):
    """The other side broke off in the middle, or spoke something else."""


@dataclass(slots=True)
class Reply:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_complete: bool = False

    def json(self) -> Any:
        return json.loads(self.body)


class _Parser:
    """Collects one answer; httptools calls the `on_…` methods."""

    def __init__(self) -> None:
        self.reply = Reply()
        self.has_headers = False
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            raise WireError(str(error)) from error

    def on_header(self, name: bytes, value: bytes) -> None:
        self.reply.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self.reply.status = self._parser.get_status_code()
        self.has_headers = True

    def on_body(self, body: bytes) -> None:
        self.reply.body += body

    def on_message_complete(self) -> None:
        self.reply.is_complete = True


@dataclass(frozen=True, slots=True)
class Event:
    """One frame; `retry:` alone comes as an event named "retry"."""

    name: str
    data: dict[str, Any]
    id: int | None


async def get(port: int, path: str, session: str, *, seconds: float = 10.0) -> Reply:
    """Return the answer to a GET that asks for JSON. Raises `OSError` (`TimeoutError` too) when there is none."""
    return await _exchange(port, head("GET", path, session, "application/json"), seconds)


async def post(port: int, path: str, session: str, fields: Mapping[str, str], *, seconds: float = 10.0) -> Reply:
    """Return the answer to a form that asks for JSON. Raises `OSError` (`TimeoutError` too) when there is none."""
    body = urlencode(fields).encode()
    about = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Content-Length": str(len(body)),
        "X-CSRFToken": CSRF_SECRET,
    }
    return await _exchange(port, head("POST", path, session, "application/json", about) + body, seconds)


async def send(port: int, path: str, session: str, body: bytes, *, seconds: float = 20.0) -> Reply:
    """Return the answer to a file that is sent as it is. Raises `OSError` (`TimeoutError` too) when there is none."""
    about = {
        "Content-Type": "application/octet-stream",
        "Content-Length": str(len(body)),
        "X-CSRFToken": CSRF_SECRET,
    }
    return await _exchange(port, head("POST", path, session, "application/json", about) + body, seconds)


@asynccontextmanager
async def stream(
    port: int, path: str, session: str, cursor: int | None, *, silence: float
) -> AsyncIterator[tuple[Reply, AsyncIterator[Event]]]:
    """Open a stream after a cursor; `silence` bounds each wait. Reading raises `OSError` when it is broken off."""
    extra = {} if cursor is None else {"Last-Event-ID": str(cursor)}
    parser = _Parser()
    async with connected(port, silence) as (reader, writer):
        writer.write(head("GET", path, session, "text/event-stream", extra))
        while not parser.has_headers:
            parser.feed(await _some(reader, silence))
        yield parser.reply, _events(parser, reader, silence)


@asynccontextmanager
async def connected(port: int, seconds: float) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    async with asyncio.timeout(seconds):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()


def head(method: str, path: str, session: str, accept: str, extra: Mapping[str, str] | None = None) -> bytes:
    """Return a request without its body."""
    cookies = f"{settings.SESSION_COOKIE_NAME}={session}; {settings.CSRF_COOKIE_NAME}={CSRF_SECRET}"
    headers = {"Host": "127.0.0.1", "Accept": accept, "Cookie": cookies, "Connection": "close", **(extra or {})}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


async def _exchange(port: int, request: bytes, seconds: float) -> Reply:
    parser = _Parser()
    async with asyncio.timeout(seconds), connected(port, seconds) as (reader, writer):
        writer.write(request)
        while not parser.reply.is_complete:
            parser.feed(await _some(reader, seconds))
    return parser.reply


async def _some(reader: asyncio.StreamReader, seconds: float) -> bytes:
    async with asyncio.timeout(seconds):
        data = await reader.read(65_536)
    if not data:
        raise WireError("the connection was closed in the middle of an answer")
    return data


async def _events(parser: _Parser, reader: asyncio.StreamReader, silence: float) -> AsyncIterator[Event]:
    while True:
        *frames, parser.reply.body = parser.reply.body.split(b"\n\n")
        for frame in frames:
            yield _event(frame.decode())
        if parser.reply.is_complete:
            return
        parser.feed(await _some(reader, silence))


def _event(frame: str) -> Event:
    fields = dict(line.partition(": ")[::2] for line in frame.split("\n"))
    if "event" not in fields:
        return Event("retry", {"milliseconds": int(fields["retry"])}, None)
    return Event(fields["event"], json.loads(fields["data"]), int(fields["id"]) if "id" in fields else None)
