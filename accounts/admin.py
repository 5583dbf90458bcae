from __future__ import annotations

from typing import Any, cast

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import actions, admin_bans
from accounts.admin_forms import RIGHTS, PersonAddForm, PersonForm, PersonPasswordForm
from accounts.models import User

__all__ = ["GroupAdmin", "UserAdmin", "admin_bans"]  # the latter registers its own


@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]  # generic for the checker alone
    form = PersonForm
    add_form = PersonAddForm
    change_password_form = PersonPasswordForm
    list_display = ("username", "name", "email", "is_staff", "is_active", "joined", "last_signed_in")
    list_filter = ("is_active", "is_guest", "is_staff", "is_superuser", "groups", "date_joined")
    search_fields = ("username", "name", "email")
    readonly_fields = ("last_login", "date_joined")
    date_hierarchy = "date_joined"
    actions = ("sign_out_everywhere", "remove_factors")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": ("name", "email", "last_login", "date_joined")}),
        (_("Rights"), {"fields": ("is_active", "is_guest", *RIGHTS)}),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("username", "email", "name", "usable_password", "password1", "password2"),
            },
        ),
    )

    @admin.display(description=_("joined"), ordering="date_joined")
    def joined(self, person: User) -> Any:
        return person.date_joined

    @admin.display(description=_("last signed in"), ordering="last_login")
    def last_signed_in(self, person: User) -> Any:
        return person.last_login

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Staff may change the people who are not: whoever sets a password can sign in with that person's rights."""
        is_above = obj is not None and (obj.is_staff or obj.is_superuser)
        return super().has_change_permission(request, obj) and (_is_superuser(request) or not is_above)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False  # people are deactivated: what they said stays theirs

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return fields if _is_superuser(request) else (*fields, *RIGHTS)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if change and "is_active" in form.changed_data and not obj.is_active:
            actions.hand_over_rooms(obj, actor=cast(User, request.user))
        if change and "is_guest" in form.changed_data and obj.is_guest:
            actions.step_down(obj, actor=cast(User, request.user))
        super().save_model(request, obj, form, change)
        if "email" in form.changed_data:
            actions.change_email(obj, email=obj.email)
        if change and not obj.is_active:
            actions.sign_out_everywhere([obj])

    @admin.action(description=_("Sign out everywhere"), permissions=["change"])
    def sign_out_everywhere(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        people = [person for person in queryset if self.has_change_permission(request, person)]
        actions.sign_out_everywhere(people)
        for person in people:
            self.log_change(request, person, [{"changed": {"fields": [str(_("sessions ended"))]}}])
        text = ngettext("%(count)d person was signed out.", "%(count)d people were signed out.", len(people))
        self.message_user(request, text % {"count": len(people)}, messages.SUCCESS)

    @admin.action(description=_("Remove passkeys and codes"), permissions=["change"])
    def remove_factors(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """For people who have lost their phone and their recovery codes: their password alone lets them in again."""
        people = [person for person in queryset if self.has_change_permission(request, person)]
        for person in people:
            actions.remove_factors(person)
            self.log_change(request, person, [{"changed": {"fields": [str(_("passkeys and codes"))]}}])
        text = ngettext("%(count)d person has none any more.", "%(count)d people have none any more.", len(people))
        self.message_user(request, text % {"count": len(people)}, messages.SUCCESS)


admin.site.unregister(Group)
# Its page would show secrets.
admin.site.unregister(Authenticator)
# Providers are settings, and nobody connects an account but its person.
admin.site.unregister((SocialAccount, SocialApp, SocialToken))
# Addresses change through accounts.actions alone.
admin.site.unregister(EmailAddress)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin):
    """A group carries rights, so only superusers change one."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return _is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return _is_superuser(request)


def _is_superuser(request: HttpRequest) -> bool:
    return request.user.is_active and bool(getattr(request.user, "is_superuser", False))
