"""The product's addresses, and two more: a view that does nothing, and how many queries there have been."""

from __future__ import annotations

from django.http import HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.http import require_POST, require_safe

from accounts.http import SignedInRequest, signed_in
from project.urls import handler400, handler403, handler404, handler500
from project.urls import urlpatterns as of_the_product
from tests.benchmarks import queries

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


@require_POST
@signed_in
def nothing(request: SignedInRequest) -> HttpResponse:
    """What the middleware and knowing who asks cost by themselves."""
    return HttpResponse(status=201)


@require_safe
def query_count(request: SignedInRequest) -> JsonResponse:
    return JsonResponse({"queries": queries.counted()})


urlpatterns = [
    path("benchmarks/nothing/", nothing),
    path("benchmarks/queries/", query_count),
    *of_the_product,
]

queries.count_if_asked()
