"""The admin's lists of who may only read, of raid switches, and of private rooms opened for review."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from rooms import moderation
from rooms.admin_rights import RefusalsAsMessages, RestrictionAdmin, RunByRoomManagers, actor
from rooms.models import Mute, Raid, Review, WordFilter


class MuteAdmin(RestrictionAdmin):
    """Mutes are made here, in one room or in all, and lifted, which deletes them."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Mute]:
        return Mute.objects.filter(Q(room=None) | Q(room__deleted_at=None)).order_by(*self.ordering)

    def save_model(self, request: HttpRequest, obj: Mute, form: Any, change: bool) -> None:
        terms: dict[str, Any] = {"user": obj.user, "reason": obj.reason, "expires_at": obj.expires_at}
        by = actor(request)
        made = (
            moderation.mute(obj.room, actor=by, **terms) if obj.room else moderation.mute_everywhere(actor=by, **terms)
        )
        obj.pk = made.pk

    def delete_model(self, request: HttpRequest, obj: Mute) -> None:
        moderation.lift_mute(obj, actor=actor(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Mute]) -> None:
        for mute in queryset.select_related("room", "user"):
            moderation.lift_mute(mute, actor=actor(request))


class RaidAdmin(RunByRoomManagers, RefusalsAsMessages):
    """While one lasts, new accounts can only read: in one room or, without one, in all."""

    list_display = ("__str__", "room", "hours", "by", "created_at", "expires_at")
    list_select_related = ("room", "by")
    autocomplete_fields = ("room",)
    fields = ("room", "hours", "expires_at")
    ordering = ("-pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Raid]:
        return Raid.objects.filter(Q(room=None) | Q(room__deleted_at=None)).order_by(*self.ordering)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Raid, form: Any, change: bool) -> None:
        terms: dict[str, Any] = {"hours": obj.hours, "expires_at": obj.expires_at, "actor": actor(request)}
        obj.pk = moderation.guard_against_raid(obj.room, **terms).pk

    def delete_model(self, request: HttpRequest, obj: Raid) -> None:
        moderation.end_raid(obj, actor=actor(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Raid]) -> None:
        for raid in queryset.select_related("room"):
            moderation.end_raid(raid, actor=actor(request))


class WordFilterAdmin(RunByRoomManagers, RefusalsAsMessages):
    """What is not let through: of one room or, without one, of all."""

    list_display = ("__str__", "words")
    autocomplete_fields = ("room",)
    fields = ("room", "words")
    ordering = ("pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[WordFilter]:
        return WordFilter.objects.filter(Q(room=None) | Q(room__deleted_at=None)).order_by(*self.ordering)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("room",) if obj else ()

    def save_model(self, request: HttpRequest, obj: WordFilter, form: Any, change: bool) -> None:
        moderation.set_word_filter(obj.room, words=obj.words, actor=actor(request))
        obj.pk = WordFilter.objects.get(room=obj.room).pk

    def delete_model(self, request: HttpRequest, obj: WordFilter) -> None:
        moderation.set_word_filter(obj.room, words="", actor=actor(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[WordFilter]) -> None:
        for each in queryset.select_related("room"):
            self.delete_model(request, each)


class ReviewAdmin(RefusalsAsMessages):
    """For superusers: the messages of a private room, for an hour. Its members are told."""

    list_display = ("room", "by", "reason", "created_at", "expires_at")
    list_select_related = ("room", "by")
    autocomplete_fields = ("room",)
    fields = ("room", "reason")
    ordering = ("-pk",)

    def get_form(self, request: HttpRequest, obj: Review | None = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["help_texts"] = {
            "room": gettext_lazy("Its members see that you opened it. You can read its messages for an hour.")
        }
        return super().get_form(request, obj, change, **kwargs)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return actor(request).is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return actor(request).is_superuser

    def has_add_permission(self, request: HttpRequest) -> bool:
        return actor(request).is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Review, form: Any, change: bool) -> None:
        obj.pk = moderation.open_for_review(obj.room, reason=obj.reason, actor=actor(request)).pk
