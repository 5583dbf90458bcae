"""Which pages a browser may fetch ahead, where it can (https://html.spec.whatwg.org/#speculative-loading)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

KEPT_SECONDS = 24 * 3600
# A room in the list beside the page, while the pointer rests on it: it is a click away from being read, and fetching
# its page changes nothing. What is said until the click comes with the page's stream, as for any page.
RULES = {"prefetch": [{"where": {"selector_matches": ".sidebar [data-room]"}, "eagerness": "moderate"}]}


@require_safe
@cache_control(max_age=KEPT_SECONDS, public=True)
def rules(request: HttpRequest) -> JsonResponse:
    """The rules, the same for everybody."""
    return JsonResponse(RULES, content_type="application/speculationrules+json")


def named_in(response: HttpResponse) -> HttpResponse:
    """Return the page's response, with the address of the rules in it."""
    response.headers["Speculation-Rules"] = f'"{reverse("speculation_rules")}"'
    return response
