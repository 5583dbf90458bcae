from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any, cast

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Max, Q, QuerySet
from django.http import HttpRequest
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy

from accounts.models import User
from messaging import actions, admin_reports
from messaging.models import Message
from rooms.models import Room

__all__ = ["MessageAdmin", "admin_reports"]  # the latter registers its own

LISTED = 10_000
SEARCHED_FOR_WORDS = 50_000
ROOMS_OFFERED = 100


class NewestOnly(Paginator):  # type: ignore[type-arg]  # generic for the checker alone
    """Counts no further than `LISTED`: counting all messages of a large site would take seconds."""

    @cached_property
    def count(self) -> int:
        return cast(QuerySet[Message], self.object_list)[:LISTED].count()


class RoomFilter(admin.SimpleListFilter):
    title = gettext_lazy("room")
    parameter_name = "room"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rooms = Room.objects.filter(kind=Room.Kind.PUBLIC)
        offered = list(rooms.values_list("pk", "name")[:ROOMS_OFFERED])
        chosen = self._chosen()
        if chosen is not None and chosen not in dict(offered):
            offered += rooms.filter(pk=chosen).values_list("pk", "name")
        return [(str(pk), name) for pk, name in offered]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        chosen = self._chosen()
        return queryset if chosen is None else queryset.filter(room=chosen)

    def _chosen(self) -> int | None:
        value = self.value() or ""
        return int(value) if value.isascii() and value.isdecimal() and len(value) < 19 else None


class DeletedFilter(admin.SimpleListFilter):
    title = gettext_lazy("deleted")
    parameter_name = "deleted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", gettext_lazy("Shown")), ("yes", gettext_lazy("Deleted"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message] | None:
        if self.value() in {"no", "yes"}:
            return queryset.filter(deleted_at__isnull=self.value() == "no")
        return None


@admin.register(Message)
class MessageAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the checker alone
    """The messages of public rooms, to be read and deleted. Those of private rooms don't exist here, unless a review
    has opened the room, which tells its members."""

    list_display = ("excerpt", "room", "writer", "created_at", "edited_at", "deleted_at")
    list_filter = (RoomFilter, DeletedFilter)
    search_fields = ("text", "author__username", "author__name", "room__name")
    search_help_text = format_lazy(
        gettext_lazy(
            "Finds words in the newest {words} messages, and all messages by a person's or a room's name. "
            "The list goes back {listed} messages."
        ),
        words=SEARCHED_FOR_WORDS,
        listed=LISTED,
    )
    ordering = ("-pk",)
    sortable_by = ()
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = NewestOnly
    fields = readonly_fields = ("room", "writer", "text", "created_at", "edited_at", "pinned_at", "deleted_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        return (
            Message.objects.in_rooms_open_to(cast(User, request.user))
            .select_related("room", "author")
            .order_by(*self.ordering)
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Look people and rooms up first: their messages come from an index, and only some are read for words."""
        term = search_term.strip()
        if not term:
            return queryset, False
        people = User.objects.filter(Q(username__icontains=term.removeprefix("@")) | Q(name__icontains=term))
        rooms = Room.objects.filter(kind=Room.Kind.PUBLIC, name__icontains=term)
        newest = Message.objects.aggregate(Max("pk"))["pk__max"] or 0
        words = Q(pk__gt=newest - SEARCHED_FOR_WORDS, text__icontains=term)
        return queryset.filter(words | Q(author__in=people.values("pk")) | Q(room__in=rooms.values("pk"))), False

    @admin.display(description=gettext_lazy("message"))
    def excerpt(self, message: Message) -> str:
        return admin_reports.excerpt_of(message)

    @admin.display(description=gettext_lazy("author"))
    def writer(self, message: Message) -> str:
        return f"{message.author} (@{message.author.username})" if message.author else "-"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Message | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Message | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.is_deleted)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, dict[str, int], set[str], list[str]]:
        """Name what the confirmation page asks about: the messages, and nothing that a cascade would reach."""
        shown = [f"{message.room}: {self.excerpt(message)}" for message in objs]
        return shown, {str(self.opts.verbose_name_plural): len(shown)}, set(), []

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Message]) -> Any:
        return super().log_deletions(request, [message for message in queryset if not message.is_deleted])  # type: ignore[arg-type]  # any iterable does

    def delete_model(self, request: HttpRequest, obj: Message) -> None:
        actions.delete_message(obj, actor=cast(User, request.user))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        for message in queryset:
            self.delete_model(request, message)
