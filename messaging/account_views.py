from __future__ import annotations

from concurrent.futures import Future
from functools import partial
from typing import IO

from allauth.account.decorators import reauthentication_required
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.http import SignedInRequest, signed_in
from messaging.exporting import begin_export, files_of
from messaging.forms import LeavingForm
from messaging.leaving import close_account, rooms_left_alone
from project import limits
from project.errors import no_room, too_many_requests
from project.files import store
from project.files.archive import ArchiveResponse
from project.http import posted
from project.realtime.afterwards import deferred

DAY = 24 * 3600


@require_POST
@signed_in
@reauthentication_required
def export(request: SignedInRequest) -> HttpResponse:
    """Give a person what they gave the site: an archive of what is known, as JSON, and of their files."""
    try:
        limits.take(f"export:{request.user.pk}", times=settings.EXPORTS_PER_DAY, seconds=DAY)
    except limits.TooOftenError as error:
        return too_many_requests(request, seconds=error.seconds)
    return deferred(request, begin_export(request), partial(_archive, request))


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
@reauthentication_required
def leave(request: SignedInRequest) -> HttpResponse:
    """Delete the person's own account, once they have typed its username."""
    form = LeavingForm(posted(request), username=request.user.username)
    if form.is_valid():
        try:
            close_account(request.user, takes_messages=form.cleaned_data["takes_messages"])
        except ValidationError as error:
            form.add_error(None, error)
        else:
            logout(request)
            messages.success(request, _("Your account is deleted."))
            return redirect("account_login")
    context = {"form": form, "rooms": rooms_left_alone(request.user)}
    return render(request, "accounts/leave.html", context, status=400 if request.method == "POST" else 200)


def _archive(request: SignedInRequest, work: Future[IO[bytes]]) -> HttpResponse:
    try:
        data = work.result()
    except store.StorageError:
        return no_room(request)
    response = ArchiveResponse(request, data, "earshot.json", list(files_of(request.user)))
    response.headers["Content-Disposition"] = f'attachment; filename="earshot-{request.user.username}.zip"'
    return response
