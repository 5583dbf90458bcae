"""What the pages of this app's admin have in common: who may see them, and how they say no."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.formats import date_format

from accounts.models import User


class RefusalsAsMessages(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the checker alone
    """Shows why an action refused. What the forms let through may be wrong by the time that it is done."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._answer(request, super().changeform_view, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._answer(request, super().delete_view, *args, **kwargs)

    def _answer(
        self, request: HttpRequest, view: Callable[..., HttpResponse], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)  # one transaction: nothing of a refused page is kept
        except ValidationError as refusal:
            self.message_user(request, " ".join(refusal.messages), messages.ERROR)
        return HttpResponseRedirect(request.get_full_path())


class RunByRoomManagers:
    """Memberships have no permissions of their own: whoever may change rooms may change who is in them."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, "rooms.view_room") or may(request, "rooms.change_room")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, "rooms.change_room")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, "rooms.change_room")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, "rooms.change_room")


class RestrictionAdmin(RunByRoomManagers, RefusalsAsMessages):
    """One that is to be another is made anew."""

    list_display = ("user", "room", "reason", "by", "created_at", "expires_at")
    list_select_related = ("user", "room", "by")
    search_fields = ("user__username", "user__name", "room__name")
    autocomplete_fields = ("room", "user")
    fields = ("room", "user", "reason", "expires_at")
    ordering = ("-pk",)
    show_full_result_count = False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def actor(request: HttpRequest) -> User:
    return cast(User, request.user)


def may(request: HttpRequest, permission: str) -> bool:
    return bool(actor(request).has_perm(permission))


def shown_time(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "DATETIME_FORMAT")
