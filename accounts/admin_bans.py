"""The admin's lists of who may not sign in, and of what was done by whom."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from accounts import site_bans
from accounts.audit import AuditEntry
from accounts.models import SiteBan, User


@admin.register(SiteBan)
class SiteBanAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the checker alone
    """Bans are made here and lifted, which deletes them; for whoever may change people."""

    list_display = ("user", "reason", "by", "created_at", "expires_at")
    list_select_related = ("user", "by")
    search_fields = ("user__username", "user__name")
    autocomplete_fields = ("user",)
    fields = ("user", "reason", "expires_at")
    ordering = ("-pk",)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _actor(request).has_perm("accounts.change_user")

    has_add_permission = has_delete_permission = has_view_permission

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except ValidationError as refusal:
            self.message_user(request, " ".join(refusal.messages), messages.ERROR)
        return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: SiteBan, form: Any, change: bool) -> None:
        made = site_bans.ban_from_site(obj.user, reason=obj.reason, expires_at=obj.expires_at, actor=_actor(request))
        obj.pk = made.pk

    def delete_model(self, request: HttpRequest, obj: SiteBan) -> None:
        site_bans.lift_site_ban(obj, actor=_actor(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[SiteBan]) -> None:
        for ban in queryset.select_related("user"):
            self.delete_model(request, ban)


@admin.register(AuditEntry)
class AuditAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the checker alone
    """Read only, as the database has it."""

    list_display = ("at", "actor_name", "what", "target_name", "room_name", "detail", "address")
    list_display_links = None
    list_filter = ("action",)
    search_fields = ("actor_name", "target_name", "room_name", "detail")
    ordering = ("-pk",)
    list_per_page = 50
    show_full_result_count = False

    @admin.display(description=AuditEntry._meta.get_field("action").verbose_name)
    def what(self, entry: AuditEntry) -> str:
        return entry.get_action_display()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _actor(request: HttpRequest) -> User:
    return cast(User, request.user)
