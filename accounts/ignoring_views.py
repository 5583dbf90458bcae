from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import ignoring
from accounts.http import SignedInRequest, signed_in
from accounts.models import User


@require_safe
@signed_in
def ignored(request: SignedInRequest) -> HttpResponse:
    people = User.objects.filter(pk__in=ignoring.ignored_ids(request.user))
    return render(request, "accounts/ignored.html", {"people": people})


@require_POST
@signed_in
def ignore(request: SignedInRequest, username: str) -> HttpResponse:
    _refuse_nul(username)
    person = ignoring.ignore(request.user, username=username)
    messages.success(request, _("You don\u2019t see any more what %(name)s writes.") % {"name": person})
    return _back(request)


@require_POST
@signed_in
def stop(request: SignedInRequest, username: str) -> HttpResponse:
    _refuse_nul(username)
    ignoring.stop_ignoring(request.user, username=username)
    return _back(request)


def _refuse_nul(username: str) -> None:
    if "\0" in username:  # PostgreSQL would refuse the question
        raise Http404


def _back(request: SignedInRequest) -> HttpResponse:
    """Go to the page that the form names, on this site only."""
    page = request.POST.get("next", "")
    return redirect(page if url_has_allowed_host_and_scheme(page, allowed_hosts=None) else "accounts:ignored")
