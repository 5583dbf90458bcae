"""Django finishes the request, then the stream's frames are written from here.

A stream that Django itself served would hold a thread and a database connection for as long as it is open.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from io import BytesIO
from typing import IO, Any, cast

from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.exception import response_for_exception
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from project.realtime import sse
from project.realtime.afterwards import TAKES_OVER, DeferredResponse, SentAfterwards, start_of
from project.realtime.hub import Hub
from project.realtime.subscription import Admission
from project.realtime.wire import Receive, Send

REQUEST_SECONDS = 4.5
_HANDED_OVER = "earshot.handed_over"


class EventStreamResponse(StreamingHttpResponse):
    """The answer of a stream's view: an admission, taken over by `StreamingHandler` once the request is finished.

    Behind any other handler (Django's test client) the same frames are streamed the plain way.
    """

    def __init__(self, request: HttpRequest, hub: Hub, admission: Admission) -> None:
        self.is_handed_over = _HANDED_OVER in getattr(request, "scope", {})
        super().__init__(_nothing() if self.is_handed_over else _frames(hub, admission), headers=sse.HEADERS)
        self.admission = admission


class StreamingHandler(ASGIHandler):
    """Django's ASGI handler with two changes: streams are handed over, and a request is one visit to a thread.

    What takes long afterwards, the sending of a file or work that an answer waits for, holds no thread (`afterwards`).

    Its signals, its middleware (in their synchronous form), its view and its end run there one after the other. Django
    would make a thread for every request, and hop between it and the loop at every turn.

    The threads are few. A request that has not been answered after REQUEST_SECONDS, because the database hangs and the
    others wait behind it, is answered with `unavailable`; what it was doing may still happen.
    """

    def __init__(
        self,
        hub: Hub,
        *,
        threads: int,
        unavailable: Callable[[dict[str, Any]], HttpResponseBase],
        spooled: Callable[[], IO[bytes]] = BytesIO,
        unwritable: Callable[[dict[str, Any]], HttpResponseBase] | None = None,
    ) -> None:
        super().__init__()
        self._hub = hub
        self._spooled = spooled
        self._unwritable = unwritable or unavailable
        self._threads = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="request")
        self._unavailable = unavailable

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        scope[_HANDED_OVER] = True
        scope[TAKES_OVER] = True
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        except OSError:
            response = self._unwritable(scope)
            response.headers["Connection"] = "close"  # the rest of the body is not read
            await self.send_response(response, send)
            return
        with body:
            response = await self._visited(scope, self._answer, scope, body)
        if isinstance(response, DeferredResponse):
            response = await self._finished(scope, response)
        if isinstance(response, EventStreamResponse) and response.is_handed_over:
            await self._send_head(response, send)
            await self._hub.serve(response.admission, receive, send)
        elif isinstance(response, SentAfterwards):
            await send(start_of(response))
            await response.send_body(receive, send)
        else:
            await self.send_response(response, send)

    async def read_body(self, receive: Receive) -> IO[bytes]:
        """Read a request's body: into memory while it is small, onto the disk after that. Raises `OSError`."""
        body = self._spooled()
        try:
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise RequestAborted
                body.write(message.get("body", b""))
                more = message.get("more_body", False)
            body.seek(0)
        except BaseException:
            body.close()
            raise
        return body

    async def _visited(
        self, scope: dict[str, Any], answer: Callable[..., HttpResponseBase], *args: Any
    ) -> HttpResponseBase:
        visit = self._threads.submit(copy_context().run, answer, *args)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(visit), REQUEST_SECONDS)
        except TimeoutError:
            return self._unavailable(scope)

    async def _finished(self, scope: dict[str, Any], response: DeferredResponse) -> HttpResponseBase:
        await response.done()
        return response.dressed(await self._visited(scope, self._finish, response))

    def _finish(self, deferred: DeferredResponse) -> HttpResponseBase:
        """Make the answer of what a deferred one waited for, as `_answer` does for the request."""
        signals.request_started.send(sender=self.__class__, scope=deferred.request.scope)  # type: ignore[attr-defined]  # an ASGI request has a scope
        try:
            response: HttpResponseBase = deferred.finish()
        except Exception as error:  # noqa: BLE001 (answered as those of a view are)
            response = response_for_exception(deferred.request, error)
        response._handler_class = self.__class__  # type: ignore[attr-defined]  # as Django's own handlers set it
        response.close()
        return response

    def _answer(self, scope: dict[str, Any], body: IO[bytes]) -> HttpResponseBase:
        """Answer a request from its first signal to its last, which gives the database connection back."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=self.__class__, scope=scope)
        request, refusal = self.create_request(scope, body)
        response = cast(HttpResponseBase, self.get_response(request) if request else refusal)
        response._handler_class = self.__class__  # type: ignore[attr-defined]  # as Django's own handlers set it
        if not response.streaming or isinstance(response, EventStreamResponse):
            response.close()
        return response

    async def send_response(self, response: HttpResponseBase, send: Send) -> None:
        await super().send_response(response, send)
        if response.streaming:
            await asyncio.get_running_loop().run_in_executor(self._threads, response.close)

    async def _send_head(self, response: EventStreamResponse, send: Send) -> None:
        # The connection ends with the stream: nothing else can be asked on it.
        response.headers["Connection"] = "close"

        async def send_start(message: Mapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                await send(message)

        await super().send_response(response, send_start)


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

    serving = asyncio.create_task(hub.serve(admission, receive, queue.put))
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
