from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import EMAIL_MAX
from project.fields import CleanNameField
from rooms.models import Room

LASTS = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}


class MakeForm(forms.Form):
    """Makes an invitation to some of the rooms to which its maker may invite, or to the site."""

    rooms = forms.MultipleChoiceField(
        label=gettext_lazy("Rooms"), required=False, widget=forms.CheckboxSelectMultiple(attrs={"autocomplete": "off"})
    )
    max_uses = forms.TypedChoiceField(
        label=gettext_lazy("For how many people"),
        choices=[
            ("1", gettext_lazy("One")),
            ("5", "5"),
            ("10", "10"),
            ("25", "25"),
            ("100", "100"),
            ("any", gettext_lazy("Any number")),
        ],
        initial="1",
        coerce=lambda value: None if value == "any" else int(value),
        empty_value=None,
        widget=forms.Select(attrs={"class": "select", "autocomplete": "off"}),
    )
    lasts = forms.TypedChoiceField(
        label=gettext_lazy("Good for"),
        choices=[("day", gettext_lazy("A day")), ("week", gettext_lazy("A week")), ("month", gettext_lazy("30 days"))],
        initial="week",
        coerce=LASTS.__getitem__,
        widget=forms.Select(attrs={"class": "select", "autocomplete": "off"}),
    )
    label = CleanNameField(
        label=gettext_lazy("Label"),
        help_text=gettext_lazy("For you to know it by in the list."),
        max_length=settings.INVITE_LABEL_MAX,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    email = forms.EmailField(
        label=gettext_lazy("Send it to"),
        help_text=gettext_lazy("An email address. Leave it empty to pass the link on yourself."),
        max_length=EMAIL_MAX,
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, open_rooms: Sequence[Room], is_site_open: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._rooms = {str(room.pk): room for room in open_rooms}
        self._is_site_open = is_site_open
        rooms = cast(forms.MultipleChoiceField, self.fields["rooms"])
        rooms.choices = [(pk, room.name) for pk, room in self._rooms.items()]
        self.can_make = bool(open_rooms) or is_site_open
        if is_site_open:
            rooms.help_text = _("Without a room the invitation is to the site alone.")
        if not settings.EMAIL_HOST:
            del self.fields["email"]

    def clean_rooms(self) -> list[Room]:
        return [self._rooms[pk] for pk in self.cleaned_data["rooms"]]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not cleaned.get("rooms") and not self._is_site_open and "rooms" not in self.errors:
            raise ValidationError(_("Choose at least one room."), code="required")
        return cleaned
