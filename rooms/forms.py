from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from project.fields import CleanNameField, NumberField
from rooms.models import Membership, Room


class RoomDetailsForm(forms.Form):
    name = CleanNameField(label=gettext_lazy("Name"), max_length=settings.ROOM_NAME_MAX)
    topic = CleanNameField(label=gettext_lazy("Topic"), max_length=settings.ROOM_TOPIC_MAX, required=False)


class RoomForm(RoomDetailsForm):
    kind = forms.ChoiceField(
        label=gettext_lazy("Who can join"),
        choices=[
            (Room.Kind.PUBLIC, gettext_lazy("Everyone: it is listed, and anybody here may join")),
            (Room.Kind.PRIVATE, gettext_lazy("Only people you add: nobody else learns that it exists")),
        ],
        initial=Room.Kind.PUBLIC,
        widget=forms.RadioSelect,
    )


class InviteForm(forms.Form):
    username = forms.CharField(
        label=gettext_lazy("Add by username"),
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )

    def clean_username(self) -> User:
        username = self.cleaned_data["username"].strip().removeprefix("@").lower()
        member = User.objects.filter(username=username, is_active=True).first()
        if member is None:
            raise ValidationError(_("Nobody here has this username."), code="unknown")
        return member


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=Membership.Role.choices)


class ReadForm(forms.Form):
    position = NumberField()


class SetupForm(forms.Form):
    """The first owner of the site."""

    name = CleanNameField(label=gettext_lazy("Your name"), max_length=settings.DISPLAY_NAME_MAX)
    email = forms.EmailField(label=gettext_lazy("Email address"))
    password = forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "password" in data:
            person = User(name=data.get("name", ""), email=data.get("email", ""))
            try:
                validate_password(data["password"], person)
            except ValidationError as error:
                self.add_error("password", error)
        return data
