"""Answers that the pages of rooms have in common."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import render

from accounts.http import SignedInRequest
from project.http import json_errors, wants_json

P = ParamSpec("P")
View = Callable[Concatenate[SignedInRequest, P], HttpResponse]


def refusals_lead_to(page: str) -> Callable[[View[P]], View[P]]:
    """Answer a `ValidationError` with why nothing was done: 400 with a page that leads back to the room's, or JSON."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def answered(request: SignedInRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            try:
                return view(request, *args, **kwargs)
            except ValidationError as error:
                return _refusal(request, error, back_to=(page, str(kwargs["slug"])))

        return answered

    return decorate


def _refusal(request: SignedInRequest, error: ValidationError, *, back_to: tuple[str, str]) -> HttpResponse:
    if wants_json(request):
        return json_errors({"__all__": error.messages}, 400)
    context = {"status": 400, "message": " ".join(error.messages), "back_to": back_to}
    return render(request, "error.html", context, status=400)
