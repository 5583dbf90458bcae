"""What one does with a message that is there: put an emoji on it, or take it to another room."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_POST, require_safe

from accounts.http import SignedInRequest, signed_in
from messaging import actions, copying, emoji, events, history, reactions, uploading
from messaging.attachments import attached_to
from messaging.forms import ForwardForm, ReactionForm
from messaging.limiting import too_often_sentence
from messaging.models import Message
from project import limits
from project.http import json_errors, wants_json
from rooms import access
from rooms.models import Room

MINUTE = 60
YEAR = 365 * 24 * 3600


@require_POST
@signed_in
def react(request: SignedInRequest, slug: str, message_id: int) -> HttpResponse:
    """Put an emoji on a message, or take it off with `remove`."""
    membership = access.joined_room(request.user, slug)
    message = history.message_of(membership.room, message_id)
    form = ReactionForm(request.POST)
    if not form.is_valid():
        return json_errors(form.errors, 400)
    change = reactions.remove_reaction if form.cleaned_data["remove"] else reactions.add_reaction
    try:
        limits.take(f"reaction:{request.user.pk}", times=settings.REACTIONS_PER_MINUTE, seconds=MINUTE)
        message = change(message, emoji=form.cleaned_data["emoji"], actor=request.user)
    except ValidationError as error:
        return json_errors({"emoji": error.messages}, 400)
    except limits.TooOftenError as error:
        return _too_often(error)
    return _answer(request, message, membership.room)


@require_POST
@signed_in
def forward(request: SignedInRequest, slug: str, message_id: int) -> HttpResponse:
    """Post a message once more in another room of the person's, quoted, with its author's name and its files."""
    room, _membership = access.visible_room(request.user, slug)
    message = history.message_of(room, message_id)
    form = ForwardForm(request.POST, message=message)
    if not form.is_valid():
        return json_errors(form.errors, 400)
    target = access.joined_room(request.user, form.cleaned_data["room"]).room
    client_id = form.cleaned_data["client_id"]
    try:
        earlier = Message.objects.filter(author=request.user, client_id=client_id).first()
        sent = [] if earlier else copying.copy_all(attached_to(message), room=target, uploader=request.user)
    except uploading.RefusedError as error:
        return uploading.may_come_later(json_errors({"file": [str(error)]}, error.status))
    keys = [each.key for each in (attached_to(earlier) if earlier else sent)]
    try:
        posted, created = actions.post_message(
            target, author=request.user, text=form.cleaned_data["text"], client_id=client_id, attachments=keys
        )
    except actions.ClientIdConflictError:
        uploading.withdraw(sent)
        return json_errors({"client_id": [_("This was already used for another message.")]}, 409)
    except PermissionDenied:
        uploading.withdraw(sent)
        raise
    except ValidationError as error:
        uploading.withdraw(sent)
        return json_errors({"__all__": error.messages}, 400)
    except limits.TooOftenError as error:
        uploading.withdraw(sent)
        return _too_often(error)
    if not created:
        uploading.withdraw(sent)
    return _answer(request, posted, target)


@require_safe
@gzip_page
def emoji_listing(request: HttpRequest, version: str, language: str) -> HttpResponse:
    """All emoji and their names, the same for everybody; all that it depends on is in the address: browsers keep it."""
    if version != emoji.VERSION or language not in dict(settings.LANGUAGES):
        raise Http404
    response = JsonResponse(emoji.listing(language), safe=False)
    response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    return response


def _answer(request: SignedInRequest, message: Message, room: Room) -> HttpResponse:
    if wants_json(request):
        return JsonResponse(events.message_data(history.readable(room, [message])[0]))
    return redirect(f"{reverse('messaging:room', args=[room.slug])}#message-{message.position}")


def _too_often(error: limits.TooOftenError) -> HttpResponse:
    response = json_errors({"__all__": [too_often_sentence(error)]}, 429)
    response.headers["Retry-After"] = str(error.seconds)
    return response
