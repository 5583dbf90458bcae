"""Requests of people who are signed in, and what everybody else is answered."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, cast

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from project.http import json_errors, wants_json, wants_stream

if TYPE_CHECKING:
    from accounts.models import User

P = ParamSpec("P")


class SignedInRequest(HttpRequest):
    user: User


def signed_in(
    view: Callable[Concatenate[SignedInRequest, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Let only signed-in people through: others get the sign-in page, scripts and streams a 401."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.user.is_authenticated:
            return view(cast(SignedInRequest, request), *args, **kwargs)
        if _is_for_a_script(request):
            return json_errors({"__all__": [_("Sign in first.")]}, status=401)
        return redirect_to_login(_page_to_return_to(request))

    return guarded


def _is_for_a_script(request: HttpRequest) -> bool:
    """Tell whether the answer goes to `fetch` or `EventSource`, which would follow a redirect."""
    return wants_json(request) or wants_stream(request) or request.headers.get("Sec-Fetch-Dest") == "empty"


def _page_to_return_to(request: HttpRequest) -> str:
    """Return the path of the page asked for, or the one that a form was sent from: only pages can be gone back to."""
    site = f"{request.scheme}://{request.get_host()}/"
    page = request.headers.get("Referer", "").partition("#")[0]
    if request.method in ("GET", "HEAD") or not page.startswith(site) or page.startswith(f"{site}/"):
        return request.get_full_path()
    return page.removeprefix(site.removesuffix("/"))
