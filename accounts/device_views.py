from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import actions
from accounts.devices import note, write_down
from accounts.http import SignedInRequest, signed_in
from accounts.sessions import devices_of


@require_safe
@signed_in
def devices(request: SignedInRequest) -> HttpResponse:
    """Show where the person is signed in."""
    note(request)
    write_down()
    context = {"devices": devices_of(request.user), "here": request.session.session_key}
    return render(request, "accounts/devices.html", context)


@require_POST
@signed_in
def end(request: SignedInRequest, pk: int) -> HttpResponse:
    device = next((device for device in devices_of(request.user) if device.pk == pk), None)
    if device is None:
        raise Http404
    actions.sign_out_device(device)
    messages.success(request, _("That device is signed out."))
    return redirect("accounts:devices")


@require_POST
@signed_in
def end_others(request: SignedInRequest) -> HttpResponse:
    actions.sign_out_elsewhere(request.user, here=request.session.session_key)
    messages.success(request, _("You are signed in here only."))
    return redirect("accounts:devices")
