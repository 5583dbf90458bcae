"""Django finishes the request, then the stream's frames are written from here.

A stream that Django itself served would hold a thread and a database connection for as long as it is open.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase

from project.realtime import sse
from project.realtime.hub import Admission, Hub
from project.realtime.outbox import Receive, Send

_HANDED_OVER = "earshot.handed_over"


class EventStreamResponse(StreamingHttpResponse):
    """The answer of a stream's view: an admission, taken over by `StreamingHandler` once the request is finished.

    Behind any other handler (Django's test client) the same frames are streamed the plain way.
    """

    def __init__(self, request: HttpRequest, hub: Hub, admission: Admission) -> None:
        take_over: Callable[[Admission], None] | None = getattr(request, "scope", {}).get(_HANDED_OVER)
        super().__init__(_nothing() if take_over else _frames(hub, admission), headers=sse.HEADERS)
        self.handed_over = take_over is not None
        if take_over:
            take_over(admission)


class StreamingHandler(ASGIHandler):
    """Django's ASGI handler with two changes: streams are handed over, and a request costs one hop to a thread.

    The middleware is loaded in its synchronous form and runs in one thread with the view; Django would hop to a thread
    and back for every hook of every synchronous middleware.
    """

    def __init__(self, hub: Hub) -> None:
        super().__init__()
        self._hub = hub

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        return await sync_to_async(self.get_response, thread_sensitive=True)(request)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        admissions: list[Admission] = []
        scope[_HANDED_OVER] = admissions.append
        await super().__call__(scope, receive, send)
        if admissions:
            await self._hub.serve(admissions[0], receive, send, _aborter(send))

    async def send_response(self, response: HttpResponseBase, send: Send) -> None:
        if getattr(response, "handed_over", False):
            send = _only_the_start(send)
        await super().send_response(response, send)


def _only_the_start(send: Send) -> Send:
    async def send_start(message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            await send(message)

    return send_start


def _aborter(send: Send) -> Callable[[], None]:
    """Return a function that drops the connection at once.

    ASGI has no word for that: ending the response waits until a client that reads nothing has read everything.
    Uvicorn's `send` belongs to an object that knows the transport; elsewhere nothing more than closing can be done.
    """
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    abort: Callable[[], None] = getattr(transport, "abort", lambda: None)
    return abort


async def _nothing() -> AsyncIterator[bytes]:
    empty: tuple[bytes, ...] = ()
    for frame in empty:
        yield frame


async def _frames(hub: Hub, admission: Admission) -> AsyncIterator[bytes]:
    queue: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
    gone = asyncio.Event()

    async def receive() -> dict[str, Any]:
        await gone.wait()
        return {"type": "http.disconnect"}

    serving = asyncio.create_task(hub.serve(admission, receive, queue.put, lambda: None))
    try:
        while True:
            message = await queue.get()
            yield message["body"]
            if not message["more_body"]:
                return
    finally:
        gone.set()
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving
