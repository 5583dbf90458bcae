from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from allauth.account.decorators import secure_admin_login
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

KEY_DIGITS_MAX = 18  # as many as any number of PostgreSQL's bigint may have


class AdminSite(admin.AdminSite):
    site_header = _("Earshot administration")
    site_title = _("Earshot administration")
    index_title = _("Manage the rooms and the people")

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Send people to sign in, or on if they may be here.

        Django's own form is never reached: it would be a second, weaker door. It has no limit on guesses and asks for
        no second factor, also when somebody from the staff tries it for somebody else.
        """
        response: HttpResponse = secure_admin_login(_to_the_index)(request)  # type: ignore[no-untyped-call]  # allauth is untyped
        return response

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if settings.STAFF_MFA and not is_mfa_enabled(cast(AbstractBaseUser, request.user)):
                messages.warning(request, _("Add a passkey or an app first: the administration opens only with one."))
                return redirect("mfa_index")
            _refuse_what_fails_in_a_query(request)
            return view(request, *args, **kwargs)

        return super().admin_view(checked, cacheable)


def _is_year(value: str) -> bool:
    """Tell whether it is a year that dates can have, also in another time zone."""
    return value.isascii() and value.isdecimal() and len(value) == 4 and value > "0001" and value < "9999"


def _is_key(value: str) -> bool:
    return value.isascii() and value.isdecimal() and len(value) <= KEY_DIGITS_MAX


def _to_the_index(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:index"))


def _refuse_what_fails_in_a_query(request: HttpRequest) -> None:
    """Answer 400 for what Django's lists and searches would pass on to PostgreSQL, and then fail with."""
    if any("\x00" in value for _name, values in request.GET.lists() for value in values):
        raise BadRequest
    if not all(_is_year(str(value)) for name, value in request.GET.items() if name.endswith("__year")):
        raise BadRequest
    if not all(key.isdecimal() for key in request.POST.getlist(ACTION_CHECKBOX_NAME)):
        raise BadRequest
    # The fields that look for a person or a room as one types: also a form that is shown again asks for what was sent.
    chosen = (str(request.POST.get(name, "")) for name in ("user", "room"))
    if not all(_is_key(value) for value in chosen if value):
        raise BadRequest
