"""People's pictures, in and out."""

from __future__ import annotations

from concurrent.futures import Future
from functools import partial
from pathlib import Path

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import actions
from accounts.forms import PictureForm
from accounts.http import SignedInRequest, signed_in
from accounts.models import User
from accounts.views import profile_page
from project.errors import no_room
from project.files import images, store
from project.files.parts import were_written
from project.files.serving import file_answer
from project.realtime.afterwards import deferred


@require_POST
@signed_in
def change(request: SignedInRequest) -> HttpResponse:
    form = PictureForm(request.POST, request.FILES)
    if not were_written(request):
        return no_room(request)
    if not form.is_valid():
        return profile_page(request, picture_form=form)
    try:
        incoming = store.receive(form.cleaned_data["picture"], settings.UPLOAD_MAX_BYTES)
    except store.StorageError:
        return no_room(request)
    work = images.WORKERS.submit(_cropped, incoming, form)
    return deferred(request, work, partial(_changed, request, form))


@require_POST
@signed_in
def remove(request: SignedInRequest) -> HttpResponse:
    actions.remove_avatar(request.user)
    messages.success(request, _("Your picture has been removed."))
    return redirect("accounts:profile")


@require_safe
@signed_in
def avatar(request: SignedInRequest, key: str) -> HttpResponse:
    if not store.KEY_PATTERN.fullmatch(key) or not User.objects.filter(avatar_key=key).exists():
        raise Http404
    response = file_answer(
        request, store.path_of(key), content_type="image/webp", filename="picture.webp", is_shown=True, etag=key
    )
    # Another picture has another address.
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return response


def _cropped(incoming: store.Incoming, form: PictureForm) -> Path:
    """Return the chosen part, on the disk; the middle of the picture if none was chosen."""
    target = store.new_incoming()
    chosen = {name: form.cleaned_data[name] for name in ("left", "top", "side")}
    try:
        images.crop(incoming.path, target, chosen, pixels=settings.AVATAR_PIXELS)
        store.flush(target)
    except BaseException:
        store.discard(target)
        raise
    finally:
        store.discard(incoming.path)
    return target


def _changed(request: SignedInRequest, form: PictureForm, work: Future[Path]) -> HttpResponse:
    try:
        actions.change_avatar(request.user, picture=work.result())
    except images.ImageRefusedError as error:
        form.add_error("picture", str(error))
        return profile_page(request, picture_form=form)
    except store.StorageError:
        return no_room(request)
    messages.success(request, _("Your picture has been changed."))
    return redirect("accounts:profile")
