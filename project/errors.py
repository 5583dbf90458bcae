"""What is answered when a request fails: a page or JSON, by what the request accepts, and never a stack."""

from __future__ import annotations

import sys

from django.core.exceptions import BadRequest, PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from project.http import json_errors, wants_json, wants_stream

RETRY_AFTER_SECONDS = "5"
WAIT_SECONDS = "60"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    # Only what was written for people is said; Django's own reasons quote the request.
    reason = str(exception) if type(exception) is BadRequest else ""
    return _answer(request, 400, reason or _("That request can't be understood."))


def permission_denied(request: HttpRequest, exception: PermissionDenied) -> HttpResponse:
    return _answer(request, 403, str(exception) or _("You may not do this."))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _answer(request, 403, _("This page has expired. Go back, reload it and try again."))


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    # The same for what does not exist and for what one may not know of.
    return _answer(request, 404, _("There is nothing here."))


def too_many_requests(request: HttpRequest, seconds: int = 0, *, with_user: bool = True) -> HttpResponse:
    is_long = seconds > int(WAIT_SECONDS)
    sentence = (
        _("That was too often. Try again later.") if is_long else _("That was too often. Wait a minute and try again.")
    )
    response = _answer(request, 429, sentence, with_user=with_user)
    response.headers["Retry-After"] = str(seconds or WAIT_SECONDS)
    return response


def unavailable(request: HttpRequest) -> HttpResponse:
    message = _("Earshot can't reach its database right now. Try again in a moment.")
    return _come_back(request, message, RETRY_AFTER_SECONDS)


def no_room(request: HttpRequest) -> HttpResponse:
    """Say that files can't be kept right now, while everything else goes on."""
    message = _("Files can't be taken right now: the server has no room for them. Try again later.")
    return _come_back(request, message, WAIT_SECONDS)


def _come_back(request: HttpRequest, message: str, seconds: str) -> HttpResponse:
    response = _answer(request, 503, message, with_user=False)
    response.headers["Retry-After"] = seconds
    response.headers["Cache-Control"] = "no-store"
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return unavailable(request)
    return _answer(request, 500, _("Something went wrong here. It has been noted."), with_user=False)


def _answer(request: HttpRequest, status: int, message: str, *, with_user: bool = True) -> HttpResponse:
    if wants_json(request) or wants_stream(request):
        return json_errors({"__all__": [message]}, status)
    context = {"status": status, "message": message}
    if with_user:
        return render(request, "error.html", context, status=status)
    # Without the request there are no context processors, which would ask the database.
    return HttpResponse(render_to_string("error.html", context), status=status)
