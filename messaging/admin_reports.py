"""The admin's list of what was reported. What was said in a private room is not in it."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import User
from messaging import moderation
from messaging.models import Message
from messaging.reports import Report

EXCERPT_CHARACTERS = 100


class WaitingFilter(admin.SimpleListFilter):
    title = gettext_lazy("decided")
    parameter_name = "decided"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", gettext_lazy("Waiting")), ("yes", gettext_lazy("Decided"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Report]) -> QuerySet[Report] | None:
        if self.value() in {"no", "yes"}:
            return queryset.filter(decided_at__isnull=self.value() == "no")
        return None


@admin.register(Report)
class ReportAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the checker alone
    list_display = ("reason", "excerpt", "writer", "room", "reporter", "created_at", "outcome", "decided_by")
    list_display_links = None
    list_filter = (WaitingFilter,)
    list_select_related = ("room", "reporter", "decided_by", "message__author")
    ordering = ("-pk",)
    list_per_page = 50
    show_full_result_count = False
    actions = ("delete_messages", "dismiss")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Report]:
        readable = Message.objects.in_rooms_open_to(_actor(request)).filter(pk=OuterRef("message"))
        reports = Report.objects.filter(room__deleted_at=None).annotate(is_readable=Exists(readable))
        return reports.order_by(*self.ordering)

    @admin.display(description=gettext_lazy("message"))
    def excerpt(self, report: Any) -> str:
        if not report.is_readable:
            return str(gettext_lazy("(in a private room)"))
        return excerpt_of(report.message)

    @admin.display(description=gettext_lazy("author"))
    def writer(self, report: Report) -> str:
        author = report.message.author
        return f"{author} (@{author.username})" if author else "-"

    @admin.action(description=gettext_lazy("Delete the messages"), permissions=["change"])
    def delete_messages(self, request: HttpRequest, queryset: QuerySet[Report]) -> None:
        self._decide(request, queryset, Report.Outcome.DELETED)

    @admin.action(description=gettext_lazy("Leave the messages"), permissions=["change"])
    def dismiss(self, request: HttpRequest, queryset: QuerySet[Report]) -> None:
        self._decide(request, queryset, Report.Outcome.DISMISSED)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """They are decided on in the list: a form could have a report be of another message, in another room."""
        return obj is None and super().has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def _decide(self, request: HttpRequest, queryset: QuerySet[Report], outcome: str) -> None:
        reports = list(queryset.filter(decided_at=None).select_related("room", "message__author"))
        for report in reports:
            moderation.decide_report(report, outcome=outcome, actor=_actor(request))
        text = ngettext("%(count)d report was decided.", "%(count)d reports were decided.", len(reports))
        self.message_user(request, text % {"count": len(reports)}, messages.SUCCESS)


def excerpt_of(message: Message) -> str:
    """Return how a message begins, or what there is in place of words."""
    if message.is_deleted:
        return str(gettext_lazy("(deleted)"))
    files = ngettext("%(count)d file", "%(count)d files", message.attachment_count)
    return Truncator(message.text).chars(EXCERPT_CHARACTERS) or files % {"count": message.attachment_count}


def _actor(request: HttpRequest) -> User:
    return cast(User, request.user)
