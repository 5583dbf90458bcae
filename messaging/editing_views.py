"""What becomes of a message after it was posted: its author edits it, somebody deletes it, and what it said before."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.http import SignedInRequest, signed_in
from messaging import actions, events, history
from messaging.forms import EditForm, may_be_blank
from messaging.limiting import too_often_sentence
from messaging.models import Message
from project import limits
from project.http import form_page, posted, wants_json
from rooms import access
from rooms.models import Membership, Room

REVISIONS_SHOWN = 100


@require_safe
@signed_in
def revisions(request: SignedInRequest, slug: str, message_id: int) -> HttpResponse:
    """What a message said before it was edited, oldest first: of many edits the newest."""
    room, _membership = access.visible_room(request.user, slug)
    message = history.message_of(room, message_id)
    newest = list(message.revisions.order_by("-pk")[: REVISIONS_SHOWN + 1])
    shown, has_more = newest[:REVISIONS_SHOWN][::-1], len(newest) > REVISIONS_SHOWN
    if wants_json(request):
        return JsonResponse({"revisions": [events.revision_data(each) for each in shown], "has_more": has_more})
    context = {"room": room, "message": message, "revisions": shown, "has_more": has_more}
    return render(request, "messaging/message_revisions.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def edit(request: SignedInRequest, slug: str, message_id: int) -> HttpResponse:
    membership = access.joined_room(request.user, slug)
    message = history.message_of(membership.room, message_id)
    if not message.is_by(request.user):
        raise PermissionDenied(_("Only its author may edit a message."))
    form = EditForm(posted(request), initial={"text": message.text})
    may_be_blank(form, message.has_files)
    if form.is_valid():
        try:
            limits.take_one("edit", request.user.pk)
            message = actions.edit_message(message, text=form.cleaned_data["text"], actor=request.user)
        except ValidationError as error:
            form.add_error(None, error)
        except limits.TooOftenError as error:
            form.add_error(None, too_often_sentence(error))
            response = _form_page(request, membership, message, form, refused=429)
            response.headers["Retry-After"] = str(error.seconds)
            return response
        else:
            return _answer(request, membership.room, message)
    return _form_page(request, membership, message, form)


@require_POST
@signed_in
def delete(request: SignedInRequest, slug: str, message_id: int) -> HttpResponse:
    membership = access.joined_room(request.user, slug)
    message = history.message_of(membership.room, message_id)
    if not (message.is_by(request.user) or membership.is_moderator):
        raise PermissionDenied(_("Only its author, or a moderator of this room, may delete a message."))
    return _answer(request, membership.room, actions.delete_message(message, actor=request.user))


def _form_page(
    request: SignedInRequest, membership: Membership, message: Message, form: EditForm, *, refused: int = 400
) -> HttpResponse:
    context = {"room": membership.room, "membership": membership, "message": message, "form": form}
    return form_page(request, form, "messaging/message_form.html", context, refused=refused)


def _answer(request: SignedInRequest, room: Room, message: Message) -> HttpResponse:
    if wants_json(request):
        return JsonResponse(events.message_data(history.readable(room, [message])[0]))
    return redirect(f"{reverse('messaging:room', args=[room.slug])}#message-{message.position}")
