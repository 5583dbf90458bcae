"""Files in, and files out: every byte of one goes to whoever can read the message that carries it."""

from __future__ import annotations

from concurrent.futures import Future
from functools import partial
from pathlib import Path

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST, require_safe

from accounts.http import SignedInRequest, signed_in
from messaging import uploading
from messaging.attachments import attachment_data
from messaging.forms import UploadForm
from messaging.models import Attachment
from project.files import store
from project.files.serving import file_answer
from project.http import json_errors
from project.realtime.afterwards import deferred
from rooms import access
from rooms.models import Room


@require_POST
@signed_in
def upload(request: SignedInRequest, slug: str) -> HttpResponse:
    """Take one file in: the body as it is, its name in `?name=`; or a form with the part `file`."""
    membership = access.joined_room(request.user, slug)
    access.refuse_writing(membership)
    part = request.FILES.get("file")
    form = UploadForm({"name": request.GET.get("name") or (part and part.name) or ""})
    if not form.is_valid():
        return json_errors(form.errors, 400)
    try:
        work = uploading.prepare(uploading.take_in(part or request), form.cleaned_data["name"])
    except uploading.RefusedError as error:
        return _refusal(error)
    return deferred(request, work, partial(_uploaded, request, membership.room))


@require_safe
@signed_in
def file(request: SignedInRequest, key: str) -> HttpResponse:
    found = _readable(request, key)
    is_shown = found.kind != Attachment.Kind.FILE
    return file_answer(
        request,
        store.path_of(key),
        content_type=found.content_type,
        filename=found.name,
        is_shown=is_shown,
        etag=found.sha256[:32],
    )


@require_safe
@signed_in
def thumbnail(request: SignedInRequest, key: str) -> HttpResponse:
    found = _readable(request, key)
    path = store.path_of(key, store.THUMBNAIL if found.has_thumbnail else "")
    return file_answer(
        request,
        path,
        content_type="image/webp" if found.has_thumbnail else found.content_type,
        filename=f"{Path(found.name).stem}.webp" if found.has_thumbnail else found.name,
        is_shown=found.kind == Attachment.Kind.IMAGE,
        etag=f"{found.sha256[:32]}{'-small' if found.has_thumbnail else ''}",
    )


def _readable(request: SignedInRequest, key: str) -> Attachment:
    if not store.KEY_PATTERN.fullmatch(key):
        raise Http404
    return get_object_or_404(Attachment.objects.readable_by(request.user), key=key)


def _uploaded(request: SignedInRequest, room: Room, work: Future[uploading.Prepared]) -> HttpResponse:
    try:
        attachment = uploading.keep(uploading.prepared(work), room=room, uploader=request.user)
    except uploading.RefusedError as error:
        return _refusal(error)
    return JsonResponse(attachment_data(attachment), status=201)


def _refusal(error: uploading.RefusedError) -> HttpResponse:
    return uploading.may_come_later(json_errors({"file": [str(error)]}, error.status))
