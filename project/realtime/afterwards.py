"""Answers that take long, and hold neither a thread of a request nor a database connection while they do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future, wait
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import translation

from project.realtime.wire import Receive, Send

T = TypeVar("T")

TAKES_OVER = "earshot.goes_on_afterwards"


def goes_on_afterwards(request: HttpRequest) -> bool:
    """Tell whether whoever serves the request knows these answers; Django's test client does not."""
    return TAKES_OVER in getattr(request, "scope", {})


class DeferredResponse(HttpResponse):
    """Work for an executor of its own, and what makes the answer of its result in a second visit to a thread."""

    def __init__(self, request: HttpRequest, work: Future[Any], finish: Callable[[Future[Any]], HttpResponse]) -> None:
        super().__init__()
        self.request = request
        self._work = work
        self._finish = finish
        self._language = translation.get_language()

    async def done(self) -> None:
        loop, is_done = asyncio.get_running_loop(), asyncio.Event()
        # Not as a future of the loop's: what the work failed with is for `finish` alone.
        self._work.add_done_callback(lambda _work: loop.call_soon_threadsafe(is_done.set))
        await is_done.wait()

    def finish(self) -> HttpResponse:
        with translation.override(self._language):
            response = self._finish(self._work)
        notices = getattr(self.request, "_messages", None)
        if notices is not None:
            notices.update(response)  # their middleware has been and gone
        return response

    def dressed(self, response: HttpResponseBase) -> HttpResponseBase:
        """Give an answer the headers and cookies that middleware gave to this one in its stead."""
        for name, value in self.headers.items():
            if name not in {"Content-Length", "Content-Type"}:
                response.headers.setdefault(name, value)
        response.cookies.update(self.cookies)
        return response


def deferred(request: HttpRequest, work: Future[T], finish: Callable[[Future[T]], HttpResponse]) -> HttpResponse:
    """Answer with what `finish` makes of work that has been given to an executor, and holds no thread of the requests'.

    `finish` gets the work done, or failed. The work uses no connection of the pool's: those are for requests.
    """
    if goes_on_afterwards(request):
        return DeferredResponse(request, work, finish)
    wait([work])
    return finish(work)


def begun(
    request: HttpRequest, executor: Executor, work: Callable[[], T], *, clean_up: Callable[[], None]
) -> Future[T]:
    """Give work to an executor, for `deferred`, with what cleans up behind it in its thread.

    Where nobody goes on with the request it is done here and now.
    """
    if goes_on_afterwards(request):
        return executor.submit(_done, work, clean_up)
    done: Future[T] = Future()
    try:
        done.set_result(work())
    except Exception as error:  # noqa: BLE001 (raised where the result is asked for)
        done.set_exception(error)
    return done


def _done(work: Callable[[], T], clean_up: Callable[[], None]) -> T:
    try:
        return work()
    finally:
        clean_up()


class SentAfterwards(HttpResponse):
    """An answer whose body is sent, after the visit, by itself."""

    # Whether its head says how long that is: what middleware says is the length of `content`.
    has_length = True

    async def send_body(self, receive: Receive, send: Send) -> None:
        raise NotImplementedError


def start_of(response: SentAfterwards) -> Mapping[str, Any]:
    if not response.has_length:
        del response.headers["Content-Length"]
    headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in response.headers.items()]
    headers += [(b"Set-Cookie", cookie.OutputString().encode("ascii")) for cookie in response.cookies.values()]
    return {"type": "http.response.start", "status": response.status_code, "headers": headers}
