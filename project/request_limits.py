"""Caps on requests that hold before the application reads them."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from project.pace import Pace
from project.realtime.wire import Receive, Send

# Where files come in: as they are, and in a room's form without JavaScript.
FILES_PATH = re.compile(r"/rooms/[^/]+/files/|/accounts/picture/")
FORM_WITH_FILES_PATH = re.compile(r"/rooms/[^/]+/messages/")

PORTION_BYTES = 256 * 1024  # of a file; each has BODY_SECONDS to come


class HeadTooLargeError(Exception):
    pass


class HeadLimit(HttpToolsProtocol):
    """Uvicorn's protocol with caps on what is no body, where it would collect and wait for ever.

    400 for a head that is too large, and the end of a connection whose head is not whole after HEAD_SECONDS, whether
    its client says nothing or drips; or which sends on and on what nobody reads. Trailers are nobody's: taken for
    headers, as Uvicorn takes them, they would be ones that no proxy has looked at (RFC 9110, 6.5.1).
    """

    _in_head = True
    _head_bytes = 0
    _unread_bytes = 0  # since the head, or since the last of a body that is read: trailers, empty lines, and the like
    _head_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as Uvicorn narrows it too
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_bytes += len(data)
        else:
            self._unread_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        # One that has not ended yet. Of one that has, a part of the data was the body.
        if self._in_head and self._head_bytes > settings.HEAD_MAX_BYTES:
            self.send_400_response("The request's head is too large.")
        elif not self._in_head and self._unread_bytes > settings.HEAD_MAX_BYTES:
            self.transport.close()
        elif self._is_between_requests() and self._head_deadline is None:
            self._expect_head()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self._head_bytes = 0
        self._expect_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._unread_bytes = 0
        self._forget_deadline()
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > settings.HEAD_MAX_BYTES or len(self.headers) > settings.HEADERS_MAX:
            raise HeadTooLargeError  # the parser fails with it, and Uvicorn refuses the request
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        if not self.cycle.response_complete:
            self._unread_bytes = 0

    def _is_between_requests(self) -> bool:
        """Tell whether the last request was answered, and what came since has stopped Uvicorn's timer for the next."""
        return self.cycle is not None and self.cycle.response_complete and self.timeout_keep_alive_task is None

    def _expect_head(self) -> None:
        self._forget_deadline()
        self._head_deadline = self.loop.call_later(settings.HEAD_SECONDS, self._give_up)

    def _forget_deadline(self) -> None:
        if self._head_deadline:
            self._head_deadline.cancel()
            self._head_deadline = None

    def _give_up(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()
        else:  # the answer to the request before this one goes first
            self._expect_head()


class BodyTooLargeError(Exception):
    pass


class BodyTooSlowError(Exception):
    pass


class BodyLimit:
    """ASGI middleware: 413 for a body over the limit, by its announced length or by the bytes that arrive.

    Where files are sent the limit is higher, for whoever has a session's cookie; whose it is, is looked up when the
    body is whole. As many of them are taken at once as there are places for, none while the disk is nearly full, and
    none slower than PORTION_BYTES in BODY_SECONDS. Any other body has to be whole after BODY_SECONDS.
    """

    def __init__(self, application: Any, has_room: Callable[[], bool] = lambda: True) -> None:
        self._application = application
        self._has_room = has_room
        self._places = settings.BODIES_OF_FILES_MAX
        self._pace = Pace(settings.BODIES_OF_FILES_BYTES_PER_SECOND)

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        limit = _limit(scope)
        try:
            if _announced_length(scope) > limit:
                raise BodyTooLargeError
            if limit == settings.BODY_MAX_BYTES_FILES and _needs_a_place(scope):
                await self._with_a_place(scope, receive, send)
            else:
                await self._application(scope, _counted(_hurried(receive), limit), send)
        except BodyTooLargeError:
            await _refuse(send, 413, "This is too much to send at once.")
        except BodyTooSlowError:
            await _refuse(send, 408, "This came too slowly. Try again.")

    async def _with_a_place(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        self._places -= 1  # before anything is awaited: of many that come together none takes the same one
        try:
            if self._places < 0 or not await asyncio.to_thread(self._has_room):
                await _refuse(send, 503, "Files can't be taken right now: the server has no room for them.")
                return
            paced = self._pace.paced(_hurried(receive, portion=PORTION_BYTES), _announced_length(scope))
            await self._application(scope, _counted(paced, settings.BODY_MAX_BYTES_FILES), send)
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


def _hurried(receive: Receive, portion: int | None = None) -> Receive:
    """Wait BODY_SECONDS for a body, or for each portion of it of so many bytes."""
    is_whole = False
    loop = asyncio.get_running_loop()
    left: float = settings.BODY_SECONDS  # of waiting for the client: what is done with the body meanwhile is not theirs
    received = 0

    async def receive_hurried() -> Mapping[str, Any]:
        nonlocal is_whole, left, received
        if is_whole:
            return await receive()  # now it waits for the client to go
        began = loop.time()
        try:
            async with asyncio.timeout(left):
                message = await receive()
        except TimeoutError:
            raise BodyTooSlowError from None
        left -= loop.time() - began
        is_whole = not message.get("more_body", False)
        received += len(message.get("body", b""))
        if portion and received >= portion:
            left, received = settings.BODY_SECONDS, 0
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
