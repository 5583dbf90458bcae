"""Whether this process does its work, for load balancers and monitoring."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from messaging.stream import HUB
from project.realtime.hub import RECONCILE_SECONDS
from project.realtime.listener import PULSE_SECONDS

LISTENER_SILENT_SECONDS = 3 * PULSE_SECONDS
RECONCILE_LATE_SECONDS = 10 * RECONCILE_SECONDS
QUEUE_FILLING = 0.5  # of the server's NOTIFY queue; once it is full, no NOTIFY is sent any more


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Return 200 while the process answers and its listener lives, 503 with what is wrong otherwise."""
    return _verdict(_listener_faults())


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Return 200 when requests can be served: as `healthz`, with a database that answers and room on the disk."""
    faults = []
    if HUB.is_started and not HUB.listener.is_connected:
        faults.append("there is no LISTEN connection")
    if HUB.is_started and HUB.following.reconciled_at is None:
        faults.append("the logs have not been looked at yet")
    return _verdict(faults + _listener_faults() + (_pool_faults() or _database_faults()) + _disk_faults())


def _listener_faults() -> list[str]:
    now = time.monotonic()
    faults = []
    if not HUB.is_started:
        return ["the listener has not been started"]
    if now - HUB.listener.alive_at > LISTENER_SILENT_SECONDS:
        faults.append("the LISTEN connection is silent")
    if now - (HUB.following.reconciled_at or HUB.following.started_at) > RECONCILE_LATE_SECONDS:
        faults.append("the logs have not been compared with the table lately")
    if HUB.listener.queue_usage > QUEUE_FILLING:
        faults.append("the NOTIFY queue is filling up")
    return faults


def _pool_faults() -> list[str]:
    """Look at the pool before anything is asked of it: when it is exhausted, to ask is to wait with all others."""
    stats = connection.pool.get_stats()  # type: ignore[attr-defined]  # PostgreSQL's connections have one
    if stats["pool_available"] or stats["pool_size"] < stats["pool_max"]:
        return []
    waiting = stats.get("requests_waiting", 0)
    return [f"all {stats['pool_max']} database connections are in use, and {waiting} requests wait"]


def _disk_faults() -> list[str]:
    return [fault for folder in settings.DISK_WATCHED if (fault := _disk_fault(folder))]


def _disk_fault(folder: Path) -> str | None:
    try:
        disk = shutil.disk_usage(folder)
    except OSError as error:
        return f"the disk of {folder.name} can't be looked at: {error.strerror}"
    free = 100 * disk.free / disk.total
    return (
        f"the disk of {folder.name} is almost full: {free:.1f} % are free"
        if free < settings.DISK_FREE_PERCENT
        else None
    )


def _database_faults() -> list[str]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return ["the database does not answer"]
    return []


def _verdict(faults: list[str]) -> JsonResponse:
    if faults:
        return JsonResponse({"ok": False, "faults": faults}, status=503)
    return JsonResponse({"ok": True})
