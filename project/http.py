"""What a request asks for, and answers that fit it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.forms.utils import ErrorDict
from django.http import HttpRequest, JsonResponse

Errors = Mapping[str, Sequence[str]] | ErrorDict


def wants_json(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def wants_stream(request: HttpRequest) -> bool:
    return "text/event-stream" in request.headers.get("Accept", "")


def json_errors(errors: Errors, status: int) -> JsonResponse:
    """Return `{"errors": {field: [sentence, …]}}`; what belongs to no field stands under `__all__`."""
    return JsonResponse({"errors": errors}, status=status)
