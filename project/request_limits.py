"""Caps on requests that hold before the application reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from project.realtime.wire import Receive, Send


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


class BodyLimit:
    """ASGI middleware: 413 for a body over the limit, by its announced length or by the bytes that arrive."""

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        limit = settings.BODY_MAX_BYTES_ADMIN if scope["path"].startswith("/admin/") else settings.BODY_MAX_BYTES
        try:
            if _announced_length(scope) > limit:
                raise BodyTooLargeError
            await self._application(scope, _counted(receive, limit), send)
        except BodyTooLargeError:
            await _refuse(send)


def _announced_length(scope: Mapping[str, Any]) -> int:
    value = dict(scope["headers"]).get(b"content-length", b"0")
    return int(value) if value.isdigit() and len(value) < 20 else 0


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


async def _refuse(send: Send) -> None:
    body = b'{"errors": {"__all__": ["This is too much to send at once."]}}'
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        # The rest of the body is not read.
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
