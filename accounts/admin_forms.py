from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm, UserChangeForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actions import end_streams_of, is_last_superuser
from accounts.forms import refuse_lookalike
from accounts.models import User
from project.fields import CleanNameField

RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")


class NamedForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for the checker alone
    name = CleanNameField(label=gettext_lazy("Name"), max_length=settings.DISPLAY_NAME_MAX, required=False)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        refuse_lookalike(name, self.instance)
        return name


class PersonAddForm(NamedForm, AdminUserCreationForm):  # type: ignore[type-arg]  # generic for the checker alone
    class Meta:
        model = User
        fields = ("username", "email", "name")


class PersonForm(NamedForm, UserChangeForm):  # type: ignore[type-arg]  # generic for the checker alone
    class Meta:
        model = User
        fields = ("username", "password", "name", "email", "is_active", "is_guest", *RIGHTS)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        keeps = cleaned.get("is_superuser", True) and cleaned.get("is_active", True)
        if not keeps and is_last_superuser(self.instance):
            raise ValidationError(_("Somebody has to own the site: make another person a superuser first."))
        return cleaned


class PersonPasswordForm(AdminPasswordChangeForm):  # type: ignore[type-arg]  # generic for the checker alone
    def save(self, commit: bool = True) -> User:
        user: User = super().save(commit)
        end_streams_of(user)
        return user
