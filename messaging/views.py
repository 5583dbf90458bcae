from __future__ import annotations

import uuid
from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.http import SignedInRequest, signed_in
from accounts.ignoring import ignored_ids
from messaging import actions, emoji, events, history, uploading
from messaging.attachments import attached_to
from messaging.forms import HistoryForm, MessageForm
from messaging.limiting import too_often_sentence
from messaging.models import Attachment, Message
from messaging.reports import Report
from project import limits, speculation
from project.files.parts import were_written
from project.http import json_errors, wants_json
from project.realtime.afterwards import deferred
from rooms import access
from rooms.member_reading import shown_members
from rooms.models import Epoch, Membership, Room


@require_safe
@signed_in
def room(request: SignedInRequest, slug: str) -> HttpResponse:
    room, membership = access.visible_room(request.user, slug)
    page = HistoryForm(request.GET)
    if not page.is_valid():
        return json_errors(page.errors, 400)
    return _room_page(request, room, membership, asked=page.cleaned_data)


@require_http_methods(["GET", "HEAD", "POST"])
def messages(request: HttpRequest, slug: str) -> HttpResponseBase:
    """A room's messages: GET a page of history, POST another one."""
    return post(request, slug) if request.method == "POST" else read_history(request, slug)


@signed_in
def post(request: SignedInRequest, slug: str) -> HttpResponse:
    membership = access.joined_room(request.user, slug)
    form = MessageForm(request.POST, room=membership.room, has_files="files" in request.FILES)
    if not form.is_valid():
        return _invalid_post(request, membership, form)
    if request.FILES or not were_written(request):
        return _post_with_files(request, membership, form)
    return _post(request, membership, form)


def _post(
    request: SignedInRequest, membership: Membership, form: MessageForm, sent: Sequence[Attachment] = ()
) -> HttpResponse:
    """Post what a form says, with the files that came in it."""
    fields = form.cleaned_data
    fields["attachments"] += [attachment.key for attachment in sent]
    try:
        message, created = actions.post_message(membership.room, author=request.user, **fields)
    except actions.ClientIdConflictError:
        uploading.withdraw(sent)
        form.add_error("client_id", _("This was already used for another message."))
        return _invalid_post(request, membership, form, status=409)
    except ValidationError as error:
        uploading.withdraw(sent)
        form.add_error(None, error)
        return _invalid_post(request, membership, form)
    except limits.TooOftenError as error:
        uploading.withdraw(sent)
        return _too_often(request, membership, form, error)
    except PermissionDenied:
        uploading.withdraw(sent)
        raise
    if not created:
        uploading.withdraw(sent)
    if wants_json(request):
        [shown] = history.readable(membership.room, [message])
        return JsonResponse(events.message_data(shown), status=201 if created else 200)
    return redirect(f"{reverse('messaging:room', args=[membership.room.slug])}#message-{message.position}")


def _post_with_files(request: SignedInRequest, membership: Membership, form: MessageForm) -> HttpResponse:
    """Post a form with files in it, as a browser without JavaScript sends it."""
    parts = request.FILES.getlist("files")
    earlier = Message.objects.filter(author=request.user, client_id=form.cleaned_data["client_id"]).first()
    try:
        names = uploading.names_of(parts)
        if earlier:
            return _post_again(request, membership, form, earlier, names)
        work = uploading.prepare_all(parts, names, are_whole=were_written(request))
    except uploading.RefusedError as error:
        return _refused_post(request, membership, form, error)
    return deferred(request, work, partial(_post_prepared, request, membership, form))


def _post_again(
    request: SignedInRequest, membership: Membership, form: MessageForm, earlier: Message, names: list[str]
) -> HttpResponse:
    """Answer a form that is sent once more: with the same files it is the same message."""
    attached = attached_to(earlier)
    if [each.name for each in attached] == names:
        form.cleaned_data["attachments"] = [each.key for each in attached]
    return _post(request, membership, form)


def _post_prepared(
    request: SignedInRequest, membership: Membership, form: MessageForm, work: Future[list[uploading.Prepared]]
) -> HttpResponse:
    try:
        sent = uploading.keep_all(work, room=membership.room, uploader=request.user)
    except uploading.RefusedError as error:
        return _refused_post(request, membership, form, error)
    return _post(request, membership, form, sent)


def _refused_post(
    request: SignedInRequest, membership: Membership, form: MessageForm, error: uploading.RefusedError
) -> HttpResponse:
    form.add_error("attachments", str(error))
    return uploading.may_come_later(_invalid_post(request, membership, form, status=error.status))


@signed_in
def read_history(request: SignedInRequest, slug: str) -> HttpResponse:
    room, _membership = access.visible_room(request.user, slug)
    form = HistoryForm(request.GET)
    if not form.is_valid():
        return json_errors(form.errors, 400)
    limit = form.cleaned_data["limit"] or settings.HISTORY_PAGE
    if wants_json(request):
        return _history_as_json(room, form.cleaned_data, limit)
    view = _view(room, form.cleaned_data, limit)
    is_after = form.cleaned_data["after"] is not None
    response = render(request, "messaging/_messages.html", {"page_rows": view.rows, "room_slug": slug})
    response.headers["X-Has-More"] = "true" if (view.has_newer if is_after else view.has_older) else "false"
    response.headers["X-Has-Older"] = "true" if view.has_older else "false"
    response.headers["X-Has-Newer"] = "true" if view.has_newer else "false"
    response.headers["X-At"] = str(view.at)
    return response


def _history_as_json(room: Room, asked: dict[str, Any], limit: int) -> JsonResponse:
    if asked["around"] is not None or asked["since"] is not None:
        view = _view(room, asked, limit)
        found = [each for each in view.rows if isinstance(each, Message)]
        more = {"has_older": view.has_older, "has_newer": view.has_newer}
    else:
        after, before = asked["after"], asked["before"]
        page = history.page_before(room, before, limit) if after is None else history.page_after(room, after, limit)
        found, more = page.messages, {"has_more": page.has_more}
    return JsonResponse({"messages": [events.message_data(message) for message in found], **more})


def _view(room: Room, asked: dict[str, Any], limit: int) -> history.HistoryView:
    if asked["after"] is not None:
        return history.view_after(room, asked["after"], limit)
    if asked["around"] is not None:
        return history.view_around(room, asked["around"], limit)
    if asked["since"] is not None:
        return history.view_since(room, asked["since"], limit)
    return history.view_before(room, asked["before"], limit)


@require_POST
@signed_in
def typing(request: SignedInRequest, slug: str) -> HttpResponse:
    membership = access.joined_room(request.user, slug)
    if access.writing_refusal(membership) is None:
        actions.announce_typing(membership.room, user=request.user)
    return HttpResponse(status=204)


def _waiting_reports(membership: Membership | None) -> int:
    """Return how many reports wait for somebody, none for whoever does not moderate the room."""
    if membership is None or not membership.is_moderator:
        return 0
    return Report.objects.waiting().readable_by(membership).count()


def _too_often(
    request: SignedInRequest, membership: Membership, form: MessageForm, error: limits.TooOftenError
) -> HttpResponse:
    form.add_error(None, too_often_sentence(error))
    response = _invalid_post(request, membership, form, status=429)
    response.headers["Retry-After"] = str(error.seconds)
    return response


def _invalid_post(
    request: SignedInRequest, membership: Membership, form: MessageForm, status: int = 400
) -> HttpResponse:
    if wants_json(request):
        return json_errors(form.errors, status)
    return _room_page(request, membership.room, membership, form=form, status=status)


def _room_page(
    request: SignedInRequest,
    room: Room,
    membership: Membership | None,
    *,
    asked: dict[str, Any] | None = None,
    form: MessageForm | None = None,
    status: int = 200,
) -> HttpResponse:
    is_asked = asked and any(asked[name] is not None for name in ("before", "after", "around", "since"))
    view = _view(room, asked, settings.HISTORY_PAGE) if asked and is_asked else history.view_for(room, membership)
    refusal = access.writing_refusal(membership) if membership else None
    is_silenced = bool(refusal) and membership is not None and access.silence(membership) is not None
    acts = membership is not None and not room.is_archived and not is_silenced
    members, member_count = shown_members(room)
    context = {
        "room": room,
        "membership": membership,
        "refusal": refusal,
        "ignored": " ".join(map(str, ignored_ids(request.user))),
        "report_count": _waiting_reports(membership),
        "acts": acts,
        "may_pin": acts and membership is not None and membership.reaches(room.who_pins),
        "calls_all": membership is not None and access.may_call_all(membership),
        "pinned": list(history.pinned(room).values_list("pk", flat=True)),
        "view": view,
        "page_rows": view.rows,
        "waiting": history.count_unread(membership, view.newest_position) if view.has_newer else 0,
        "members": members,
        "member_count": member_count,
        "after_all": room.last_position + 1,
        "form": form or MessageForm(room=room),
        "client_id": str(uuid.uuid4()),
        "emoji_version": emoji.VERSION,
        # Read before the messages were: what came in between is sent again by the stream, which changes nothing.
        "position": room.last_position,
        "epoch": Epoch.current(),
        "max_characters": settings.MESSAGE_MAX_CHARACTERS,
        "max_bytes": settings.UPLOAD_MAX_BYTES,
        "max_files": settings.UPLOADS_PER_MESSAGE,
    }
    return speculation.named_in(render(request, "messaging/room.html", context, status=status))
