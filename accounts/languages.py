"""The language in which somebody gets the pages."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import translation

# They say how the site is, also while its database is away and nobody can be looked up.
ANONYMOUS = {"/healthz", "/readyz"}


def speak_their_language(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: the language that a person has chosen, else the first of ours that their browser asks for.

    Less than Django's own, which looks for languages in paths too. Who asks is looked up for the view anyway, and not
    at all for a request without a session.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        with translation.override(language_for(request)):
            return get_response(request)

    return middleware


def language_for(request: HttpRequest) -> str:
    has_session = settings.SESSION_COOKIE_NAME in request.COOKIES and request.path not in ANONYMOUS
    if has_session and request.user.is_authenticated:
        chosen = request.user.language
        if chosen in dict(settings.LANGUAGES):
            return chosen
    return translation.get_language_from_request(request)
