"""The usual way: Django's StreamingHttpResponse on Daphne, one queue per stream.

Run by `daphne tests.benchmarks.rival:application`. No middleware and no database: only the way of streaming counts.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator

from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF=__name__,
        SECRET_KEY="signs nothing",
        MIDDLEWARE=[],
        DATA_UPLOAD_MAX_MEMORY_SIZE=None,
    )

QUEUES: set[asyncio.Queue[bytes]] = set()


async def stream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(_frames(), content_type="text/event-stream; charset=utf-8")


async def broadcast(request: HttpRequest) -> HttpResponse:
    """Put each frame of the body into every queue, so many a second (0: one turn of the loop each)."""
    order = json.loads(request.body)
    began = time.monotonic()
    for number, frame in enumerate(order["frames"]):
        data = base64.b64decode(frame)
        await asyncio.sleep(max(0.0, began + number / order["rate"] - time.monotonic()) if order["rate"] else 0)
        for queue in QUEUES:
            queue.put_nowait(data)
    return HttpResponse(status=204)


async def _frames() -> AsyncIterator[bytes]:
    queue: asyncio.Queue[bytes] = asyncio.Queue()
    QUEUES.add(queue)
    try:
        yield b"retry: 3000\n\n"
        while True:
            yield await queue.get()
    finally:
        QUEUES.discard(queue)


urlpatterns = [path("stream/", stream), path("broadcast/", broadcast)]

application = ASGIHandler()
