"""What is pinned to a room: the list of it, and pinning messages or taking them down."""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import BadRequest, ValidationError
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.http import SignedInRequest, signed_in
from accounts.ignoring import ignored_ids
from messaging import events, history, pinning
from messaging.models import Message
from project import limits
from project.errors import too_many_requests
from project.http import wants_json
from rooms import access


@require_safe
@signed_in
def pins(request: SignedInRequest, slug: str) -> HttpResponse:
    """What is pinned, the last first: as a page, as JSON or, with `rows`, as what the room's own page shows of it."""
    room, membership = access.visible_room(request.user, slug)
    found = history.pins(room)
    if wants_json(request):
        return JsonResponse({"pins": [events.pin_data(pin) for pin in found]})
    context = {
        "pins": found,
        "room_slug": slug,
        "may_pin": membership is not None and access.pinning_refusal(membership) is None,
        "ignored": ignored_ids(request.user),
    }
    if "rows" in request.GET:
        return render(request, "messaging/_pins.html", context)
    return render(request, "messaging/room_pins.html", {**context, "room": room})


@require_POST
@signed_in
def pin(request: SignedInRequest, slug: str, message_id: int) -> HttpResponse:
    return _change(request, slug, message_id, pinning.pin_message)


@require_POST
@signed_in
def unpin(request: SignedInRequest, slug: str, message_id: int) -> HttpResponse:
    return _change(request, slug, message_id, pinning.unpin_message)


def _change(request: SignedInRequest, slug: str, message_id: int, change: Callable[..., Message]) -> HttpResponse:
    membership = access.pinning_room(request.user, slug)
    message = history.message_of(membership.room, message_id)
    try:
        limits.take_one("pin", request.user.pk)
        message = change(message, actor=request.user)
    except ValidationError as error:
        raise BadRequest(" ".join(error.messages)) from error
    except limits.TooOftenError as error:
        return too_many_requests(request, error.seconds)
    if wants_json(request):
        return JsonResponse(events.message_data(history.readable(membership.room, [message])[0]))
    return redirect("messaging:pins", slug)
