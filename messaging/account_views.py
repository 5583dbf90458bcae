from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.core.exceptions import ValidationError
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.http import SignedInRequest, signed_in
from messaging.exporting import export_of
from messaging.forms import LeavingForm
from messaging.leaving import close_account, rooms_left_alone
from project import limits
from project.errors import too_many_requests
from project.http import posted

DAY = 24 * 3600


@require_POST
@signed_in
@reauthentication_required
def export(request: SignedInRequest) -> HttpResponse:
    """Give a person all that is kept about them, as a file."""
    try:
        limits.take(f"export:{request.user.pk}", times=settings.EXPORTS_PER_DAY, seconds=DAY)
    except limits.TooOftenError as error:
        return too_many_requests(request, seconds=error.seconds)
    response = JsonResponse(export_of(request.user), json_dumps_params={"ensure_ascii": False, "indent": 1})
    response.headers["Content-Disposition"] = f'attachment; filename="earshot-{request.user.username}.json"'
    return response


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
