"""Caps on requests that hold before the application reads them."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from project.realtime.wire import Receive, Send

BODY_SILENT_SECONDS = 30.0
# Where files come in: as they are, and in a room's form without JavaScript.
FILES_PATH = re.compile(r"/rooms/[^/]+/files/|/accounts/picture/")
FORM_WITH_FILES_PATH = re.compile(r"/rooms/[^/]+/messages/")


class HeadTooLargeError(Exception):
    pass


class HeadLimit(HttpToolsProtocol):
    """Uvicorn's protocol with a cap on what comes before the body: 400, where it would collect for ever."""

    _in_head = True
    _head_bytes = 0

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        # One that has not ended yet. Of one that has, a part of the data was the body.
        if self._in_head and self._head_bytes > settings.HEAD_MAX_BYTES and not self.transport.is_closing():
            self.send_400_response("The request's head is too large.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        self._in_head = False
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > settings.HEAD_MAX_BYTES or len(self.headers) > settings.HEADERS_MAX:
            raise HeadTooLargeError  # the parser fails with it, and Uvicorn refuses the request
        super().on_headers_complete()


class BodyTooLargeError(Exception):
    pass


class BodyTooSlowError(Exception):
    pass


class BodyLimit:
    """ASGI middleware: 413 for a body over the limit, by its announced length or by the bytes that arrive.

    Where files are sent the limit is higher, for people who have a session. As many of them are taken at once as there
    are places for, none while the disk is nearly full, and none so slowly that it keeps its place.
    """

    def __init__(self, application: Any, has_room: Callable[[], bool] = lambda: True) -> None:
        self._application = application
        self._has_room = has_room
        self._places = settings.BODIES_OF_FILES_MAX

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        limit = _limit(scope)
        try:
            if _announced_length(scope) > limit:
                raise BodyTooLargeError
            if limit == settings.BODY_MAX_BYTES_FILES and _needs_a_place(scope):
                await self._with_a_place(scope, receive, send)
            else:
                await self._application(scope, _counted(receive, limit), send)
        except BodyTooLargeError:
            await _refuse(send, 413, "This is too much to send at once.")
        except BodyTooSlowError:
            await _refuse(send, 408, "This came too slowly. Try again.")

    async def _with_a_place(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        if not self._places or not await asyncio.to_thread(self._has_room):
            await _refuse(send, 503, "Files can't be taken right now: the server has no room for them.")
            return
        self._places -= 1
        try:
            await self._application(scope, _counted(_hurried(receive), settings.BODY_MAX_BYTES_FILES), send)
        finally:
            self._places += 1


def _limit(scope: Mapping[str, Any]) -> int:
    if scope["path"].startswith("/admin/"):
        return settings.BODY_MAX_BYTES_ADMIN
    return settings.BODY_MAX_BYTES_FILES if _may_be_files(scope) else settings.BODY_MAX_BYTES


def _may_be_files(scope: Mapping[str, Any]) -> bool:
    headers = dict(scope["headers"])
    if scope["method"] != "POST" or f"{settings.SESSION_COOKIE_NAME}=".encode() not in headers.get(b"cookie", b""):
        return False
    is_form = headers.get(b"content-type", b"").startswith(b"multipart/form-data")
    paths = (FILES_PATH, FORM_WITH_FILES_PATH) if is_form else (FILES_PATH,)
    return any(path.fullmatch(scope["path"]) for path in paths)


def _announced_length(scope: Mapping[str, Any]) -> int:
    value = dict(scope["headers"]).get(b"content-length", b"0")
    return int(value) if value.isdigit() and len(value) < 20 else 0


def _needs_a_place(scope: Mapping[str, Any]) -> bool:
    """Tell whether this is a file, or a form that is longer than others may be or does not say how long it is."""
    is_long = _announced_length(scope) > settings.BODY_MAX_BYTES or b"content-length" not in dict(scope["headers"])
    return is_long or FILES_PATH.fullmatch(scope["path"]) is not None


def _counted(receive: Receive, limit: int) -> Receive:
    received = 0

    async def receive_counted() -> Mapping[str, Any]:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise BodyTooLargeError
        return message

    return receive_counted


def _hurried(receive: Receive) -> Receive:
    """Wait for each piece of a body for BODY_SILENT_SECONDS only."""
    is_whole = False

    async def receive_hurried() -> Mapping[str, Any]:
        nonlocal is_whole
        if is_whole:
            return await receive()  # now it waits for the client to go
        try:
            async with asyncio.timeout(BODY_SILENT_SECONDS):
                message = await receive()
        except TimeoutError:
            raise BodyTooSlowError from None
        is_whole = not message.get("more_body", False)
        return message

    return receive_hurried


async def _refuse(send: Send, status: int, sentence: str) -> None:
    body = json.dumps({"errors": {"__all__": [sentence]}}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        # The rest of the body is not read.
        (b"connection", b"close"),
    ]
    if status == 503:
        headers.append((b"retry-after", b"60"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
