"""What a request asks for, and answers that fit it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.forms import BaseForm
from django.forms.utils import ErrorDict
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import render

Errors = Mapping[str, Sequence[str]] | ErrorDict


def wants_json(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def wants_stream(request: HttpRequest) -> bool:
    return "text/event-stream" in request.headers.get("Accept", "")


def posted(request: HttpRequest) -> QueryDict | None:
    """Return what a form was sent with, or None where its page is only asked for."""
    return request.POST if request.method == "POST" else None


def form_page(
    request: HttpRequest, form: BaseForm, template: str, context: Mapping[str, object], *, refused: int = 400
) -> HttpResponse:
    """Show a form's page: 200 when it is asked for, `refused` with what is wrong (or that as JSON) when it was sent."""
    if request.method == "POST" and wants_json(request):
        return json_errors(form.errors, refused)
    return render(request, template, context, status=refused if request.method == "POST" else 200)


def json_errors(errors: Errors, status: int) -> JsonResponse:
    """Return `{"errors": {field: [sentence, …]}}`; what belongs to no field stands under `__all__`."""
    return JsonResponse({"errors": errors}, status=status)
