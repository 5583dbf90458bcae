"""When and from where each session was seen last. Collected in memory, and written now and then for many at once."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from accounts.agents import browser_and_system, coarse
from accounts.languages import ANONYMOUS
from accounts.models import Device
from accounts.sessions import keep_devices
from project.address import client_address

_LATELY_MAX = 10_000
_lately: dict[str, Device] = {}  # by session key
_lock = Lock()


def note_device(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: whoever is signed in was here just now. It asks the database nothing that was not asked before."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        has_session = settings.SESSION_COOKIE_NAME in request.COOKIES and request.path not in ANONYMOUS
        if has_session and response.status_code < 500 and request.user.is_authenticated:
            note(request)
        return response

    return middleware


def note(request: HttpRequest) -> None:
    key, user_id = request.session.session_key, request.user.pk
    if key is None or user_id is None:
        return
    browser, system = browser_and_system(request.headers.get("User-Agent", ""))
    seen = Device(
        session_id=key,
        user_id=user_id,
        browser=browser,
        system=system,
        network=coarse(client_address(request)),
        seen_at=timezone.now(),
    )
    with _lock:
        if key in _lately or len(_lately) < _LATELY_MAX:
            _lately[key] = seen


def write_down() -> None:
    """Write what was noted since the last time; raises `DatabaseError`, and then that is lost."""
    with _lock:
        seen = list(_lately.values())
        _lately.clear()
    if seen:
        keep_devices(seen)
