"""The admin's lists of who may not enter a room, and of the rooms that nobody can."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from rooms import moderation, succession
from rooms.admin_rights import RestrictionAdmin, actor
from rooms.models import Ban, DeletedRoom, Room


class BanAdmin(RestrictionAdmin):
    """Bans are made here and lifted, which deletes them."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Ban]:
        return Ban.objects.filter(room__deleted_at=None).order_by(*self.ordering)

    def save_model(self, request: HttpRequest, obj: Ban, form: Any, change: bool) -> None:
        made = moderation.ban(
            obj.room, user=obj.user, reason=obj.reason, expires_at=obj.expires_at, actor=actor(request)
        )
        obj.pk = made.pk

    def delete_model(self, request: HttpRequest, obj: Ban) -> None:
        moderation.lift_ban(obj, actor=actor(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Ban]) -> None:
        for ban in queryset.select_related("room"):
            moderation.lift_ban(ban, actor=actor(request))


class DeletedRoomAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the checker alone
    """Rooms that their owners deleted, for superusers to bring back; what was said in them is not shown."""

    list_display = fields = ("name", "kind", "deleted_at")
    list_display_links = None
    ordering = ("-deleted_at",)
    actions = ("restore",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[DeletedRoom]:
        return DeletedRoom.objects.restorable().order_by(*self.ordering)  # type: ignore[return-value]  # a query set of the proxy's base

    def has_module_permission(self, request: HttpRequest) -> bool:
        return actor(request).is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return actor(request).is_superuser

    def has_restore_permission(self, request: HttpRequest) -> bool:
        return actor(request).is_superuser

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description=gettext_lazy("Restore selected rooms"), permissions=["restore"])
    def restore(self, request: HttpRequest, queryset: QuerySet[Room]) -> None:
        rooms = list(queryset)
        for room in rooms:
            with transaction.atomic():
                succession.undelete_room(room, actor=actor(request))
                self.log_change(request, room, _("Restored."))
        text = ngettext("%(count)d room was restored.", "%(count)d rooms were restored.", len(rooms))
        self.message_user(request, text % {"count": len(rooms)}, messages.SUCCESS)
