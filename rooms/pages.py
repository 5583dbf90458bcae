"""Answers that the pages of rooms have in common."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import render

from accounts.http import SignedInRequest
from project.http import json_errors, wants_json


def form_page(request: SignedInRequest, template: str, context: dict[str, object]) -> HttpResponse:
    """Show a form's page: 200 when it is asked for, 400 (with the errors) when it was sent."""
    form = context.get("invite_form") or context.get("sent_form") or context["form"]
    if request.method == "POST" and wants_json(request):
        return json_errors(form.errors, 400)  # type: ignore[attr-defined]
    return render(request, template, context, status=400 if request.method == "POST" else 200)


def refusal(request: SignedInRequest, error: ValidationError, *, back_to: tuple[str, str]) -> HttpResponse:
    """Say why nothing was done: 400 with a page that leads back, or JSON."""
    if wants_json(request):
        return json_errors({"__all__": error.messages}, 400)
    context = {"status": 400, "message": " ".join(error.messages), "back_to": back_to}
    return render(request, "error.html", context, status=400)
