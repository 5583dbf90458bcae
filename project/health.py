"""Whether this process does its work, for load balancers and monitoring."""

from __future__ import annotations

import time

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from messaging.stream import HUB
from project.realtime.hub import RECONCILE_SECONDS
from project.realtime.listener import PULSE_SECONDS

LISTENER_SILENT_SECONDS = 3 * PULSE_SECONDS
RECONCILE_LATE_SECONDS = 10 * RECONCILE_SECONDS


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Return 200 while the process answers and its listener lives, 503 with what is wrong otherwise."""
    return _verdict(_listener_faults())


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Return 200 when requests can be served: as `healthz`, and both connections to the database answer."""
    unheard = HUB.is_started and not HUB.listener.is_connected
    faults = ["there is no LISTEN connection"] if unheard else []
    return _verdict(faults + _listener_faults() + _database_faults())


def _listener_faults() -> list[str]:
    now = time.monotonic()
    faults = []
    if not HUB.is_started:
        return ["the listener has not been started"]
    if now - HUB.listener.alive_at > LISTENER_SILENT_SECONDS:
        faults.append("the LISTEN connection is silent")
    if now - HUB.following.reconciled_at > RECONCILE_LATE_SECONDS:
        faults.append("the logs have not been compared with the table lately")
    if HUB.listener.queue_usage > 0.5:
        faults.append("the NOTIFY queue is filling up")
    return faults


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
