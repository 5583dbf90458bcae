"""What becomes of a request whose view takes too long."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.urls import path
from pytest_django.fixtures import Settings

from messaging.stream import RoomLogs
from project.realtime import handoff
from project.realtime.handoff import EventStreamResponse, StreamingHandler
from project.realtime.hub import Hub
from project.realtime.subscription import Admission
from project.realtime.wire import Receive, Send

BOUND = 10.0
was_answered = threading.Event()
was_admitted = threading.Event()


class Serving(Hub):
    """Notes whom it is to serve."""

    def __init__(self) -> None:
        super().__init__(RoomLogs())
        self.served: list[Admission] = []

    async def serve(self, admission: Admission, receive: Receive, send: Send) -> None:
        self.served.append(admission)


HUB = Serving()


def stream(request: HttpRequest) -> EventStreamResponse:
    """Admit the viewer; a slow one only after the answer."""
    if "slow" in request.GET:
        assert was_answered.wait(BOUND)
    response = EventStreamResponse(request, HUB, Admission(()))
    was_admitted.set()
    return response


urlpatterns = [path("stream/", stream)]


async def status_of(query: bytes) -> int:
    statuses = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])
            was_answered.set()
            assert await asyncio.to_thread(was_admitted.wait, BOUND)

    scope = {"type": "http", "method": "GET", "path": "/stream/", "query_string": query,
             "headers": [(b"host", b"localhost")], "server": ("localhost", 80)}  # fmt: skip
    handler = StreamingHandler(HUB, threads=1, unavailable=lambda scope: HttpResponse(status=503))
    await handler(scope, receive, send)
    return int(statuses[0])


@pytest.mark.parametrize(("query", "status", "served"), [(b"", 200, 1), (b"slow=1", 503, 0)])
def test_stream_admitted_after_the_answer_is_not_served(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, query: bytes, status: int, served: int
) -> None:
    settings.ROOT_URLCONF = __name__
    if status == 503:
        monkeypatch.setattr(handoff, "REQUEST_SECONDS", 0.1)
    for event in (was_answered, was_admitted):
        event.clear()
    HUB.served.clear()
    assert asyncio.run(status_of(query)) == status
    assert len(HUB.served) == served
