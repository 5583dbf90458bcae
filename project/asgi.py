"""The ASGI application: static files, body limits, Django, and the streams that Django hands over."""

from __future__ import annotations

import gc
import os
from io import BytesIO
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
django.setup(set_prefix=False)

from django.conf import settings  # noqa: E402 (Django is set up first)
from django.core.handlers.asgi import ASGIRequest  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from servestatic import ServeStaticASGI  # noqa: E402

from accounts import devices  # noqa: E402
from accounts.actions import seal_factors  # noqa: E402
from accounts.sessions import clear_ended  # noqa: E402
from accounts.site_bans import lift_what_is_over  # noqa: E402
from messaging import exporting  # noqa: E402
from messaging.leaving import finish_leaving  # noqa: E402
from messaging.purging import purge_deleted_rooms  # noqa: E402
from messaging.stream import HUB  # noqa: E402
from messaging.sweeping import sweep  # noqa: E402
from project import errors, limits  # noqa: E402
from project.chores import Chore  # noqa: E402
from project.files import images, store  # noqa: E402
from project.realtime.handoff import StreamingHandler  # noqa: E402
from project.realtime.wire import Receive, Send  # noqa: E402
from project.request_limits import BodyLimit  # noqa: E402
from project.watchdog import Watchdog  # noqa: E402


class Application:
    def __init__(self) -> None:
        store.prepare()
        handler = StreamingHandler(
            HUB,
            threads=settings.REQUEST_THREADS,
            spooled=store.spooled,
            unavailable=_unavailable,
            unwritable=_unwritable,
        )
        self._http: Any = BodyLimit(handler, has_room=_has_room)
        if not settings.DEBUG:
            settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
            self._http = ServeStaticASGI(
                self._http,
                root=settings.STATIC_ROOT,
                prefix=settings.STATIC_URL,
                allow_all_origins=False,
                immutable_file_test=r"^.+\.[0-9a-f]{8}\..+$",
            )

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "lifespan":
            await _live(receive, send)

    def be_one_of(self, processes: int) -> None:
        """Know how many processes serve this machine; the server calls it before the first request."""
        HUB.returning.processes = processes

    async def drain(self) -> None:
        """End all open streams in an orderly way; the server calls it when it begins to shut down."""
        HUB.drain()


def _unavailable(scope: dict[str, Any]) -> HttpResponse:
    return errors.unavailable(ASGIRequest(scope, BytesIO()))


def _unwritable(scope: dict[str, Any]) -> HttpResponse:
    return errors.no_room(ASGIRequest(scope, BytesIO()))


def _has_room() -> bool:
    try:
        return not store.is_full()
    except store.StorageError:
        return False


async def _live(receive: Receive, send: Send) -> None:
    """The lifespan protocol: the listener starts with the process, so that health is known before the first stream."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            HUB.start()
            WATCHDOG.start()
            SWEEPING.start()
            NOTING.start()
            EMPTYING.start()
            CLEARING.start()
            LIFTING.start()
            LEAVING.start()
            SEALING.start()
            PURGING.start()
            # What is there by now stays for good: the collector need not look at it again.
            gc.collect()
            gc.freeze()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await HUB.stop()
            WATCHDOG.stop()
            await SWEEPING.stop()
            await NOTING.stop()
            await EMPTYING.stop()
            await CLEARING.stop()
            await LIFTING.stop()
            await LEAVING.stop()
            await SEALING.stop()
            await PURGING.stop()
            images.stop()
            exporting.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return


WATCHDOG = Watchdog()
SWEEPING = Chore(sweep, every=3600)
LEAVING = Chore(finish_leaving, every=30)
PURGING = Chore(purge_deleted_rooms, every=3600)
SEALING = Chore(seal_factors, every=3600)
NOTING = Chore(devices.write_down, every=15)
EMPTYING = Chore(limits.sweep, every=300)
CLEARING = Chore(clear_ended, every=3600)
LIFTING = Chore(lift_what_is_over, every=30)
application = Application()
