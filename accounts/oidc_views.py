"""allauth's views of an OpenID Connect provider, for providers that are not always there."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps

from allauth.socialaccount.providers.openid_connect import views
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from requests import RequestException

logger = logging.getLogger(__name__)

_RETRY_SECONDS = "60"


def _patient(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @wraps(view)
    def shown(request: HttpRequest, provider_id: str) -> HttpResponse:
        if "\0" in provider_id:  # PostgreSQL would refuse the question
            raise Http404
        try:
            return view(request, provider_id)
        except RequestException as error:
            logger.warning("The provider OIDC_ISSUER can't be reached: %s", type(error).__name__)
            response = render(request, "socialaccount/authentication_error.html", status=503)
            response.headers["Retry-After"] = _RETRY_SECONDS
            return response

    return shown


login = _patient(views.login)
callback = _patient(views.callback)
