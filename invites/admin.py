from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from invites import actions
from invites.models import Invite


@admin.register(Invite)
class InviteAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the checker alone
    """All invitations there are, to be looked at and revoked. They are made on the site."""

    list_display = ("__str__", "maker", "is_for_site", "uses", "max_uses", "created_at", "expires_at", "revoked_at")
    list_filter = ("is_for_site", "created_at", "expires_at")
    list_select_related = ("maker",)
    search_fields = ("label", "email", "maker__username")
    fields = readonly_fields = (
        *("label", "email", "maker", "is_for_site", "rooms", "uses", "max_uses"),
        *("created_at", "expires_at", "revoked_at"),
    )
    actions = ("revoke",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Invite | None = None) -> bool:
        return False

    @admin.action(description=_("Revoke"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Invite]) -> None:
        invites = list(queryset.filter(revoked_at=None))
        for invite in invites:
            actions.revoke_invite(invite)
            self.log_change(request, invite, [{"changed": {"fields": [str(_("revoked"))]}}])
        text = ngettext("%(count)d invitation was revoked.", "%(count)d invitations were revoked.", len(invites))
        self.message_user(request, text % {"count": len(invites)}, messages.SUCCESS)
