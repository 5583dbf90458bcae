"""How many requests one person, or one address, may make.

All requests are counted in this process's memory: every page would pay for a count in the database, and what is guarded
here is this process's time. What people who are not signed in send is counted in the database, for all processes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from project.address import client_network
from project.errors import too_many_requests
from project.limits import TooOftenError, take_one, wanted

REMEMBERED_MAX = 50_000
NEVER_COUNTED = ("/healthz", "/readyz")  # they answer also when nobody can be looked up
PARTS_OF_PAGES = ("/files/", "/accounts/pictures/")  # one page may have hundreds of them
_full_at: dict[str, float] = {}
_lock = threading.Lock()


def limit_requests(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: too many requests are answered 429, before anything is done for them."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        try:
            if request.path not in NEVER_COUNTED:
                _count(request)
        except TooOftenError as error:
            return too_many_requests(request, error.seconds, with_user=False)
        return get_response(request)

    return middleware


def forget_all() -> None:
    with _lock:
        _full_at.clear()


def _count(request: HttpRequest) -> None:
    address = f"ip:{client_network(request)}"
    # A cookie that is no session of ours is counted with its address, which it can't choose.
    has_session = settings.SESSION_COOKIE_NAME in request.COOKIES
    is_known = has_session and request.user.is_authenticated
    is_of_a_page = request.method == "GET" and request.path.startswith(PARTS_OF_PAGES)
    _take("files" if is_of_a_page else "requests", f"user:{request.user.pk}" if is_known else address)
    if not is_known and request.method not in ("GET", "HEAD", "OPTIONS"):
        take_one("anonymous_writes", address)


def _take(name: str, of: str) -> None:
    """Take one of a limit out of this process's buckets: as `project.limits.take_one`, and as it counts."""
    asked, now = wanted(name, of), time.monotonic()
    with _lock:
        full_at = max(_full_at.get(asked.key, now), now) + asked.cost
        if full_at > now + asked.span:
            raise TooOftenError(round(full_at - now - asked.span + 0.5), name)
        if len(_full_at) >= REMEMBERED_MAX and asked.key not in _full_at:
            _full_at.clear()
        _full_at[asked.key] = full_at
