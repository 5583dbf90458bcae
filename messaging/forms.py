from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from messaging.models import Message
from project.cleaning import clean_body
from project.fields import NumberField
from rooms.models import Room


class BodyField(forms.CharField):
    """A message's text in normal form: not blank, and within both limits after cleaning."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> str:
        text = clean_body(value if isinstance(value, str) else "")
        if len(text) > settings.MESSAGE_MAX_CHARACTERS or len(text.encode()) > settings.MESSAGE_MAX_BYTES:
            limit = settings.MESSAGE_MAX_CHARACTERS
            raise ValidationError(_("Use at most %(limit)d characters.") % {"limit": limit}, code="max_length")
        return text


class EditForm(forms.Form):
    text = BodyField(
        label=gettext_lazy("Message"), widget=forms.Textarea(attrs={"rows": 1, "autocomplete": "off", "dir": "auto"})
    )


class MessageForm(EditForm):
    client_id = forms.UUIDField(widget=forms.HiddenInput)
    reply_to = NumberField(required=False, min_value=1, widget=forms.HiddenInput)

    def __init__(self, *args: Any, room: Room, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._room = room

    def clean_reply_to(self) -> Message | None:
        pk = self.cleaned_data["reply_to"]
        if pk is None:
            return None
        message = Message.objects.filter(room=self._room, pk=pk).first()
        if message is None:
            raise ValidationError(_("The message you reply to is not in this room."), code="reply_to")
        return message


class HistoryForm(forms.Form):
    """Which page of a room's history: what stands before, or after, a position."""

    before = NumberField(required=False)
    after = NumberField(required=False)
    limit = NumberField(required=False, min_value=1, max_value=settings.HISTORY_PAGE_MAX)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("before") is not None and data.get("after") is not None:
            raise ValidationError(_("Ask for what is before a position or after it, not both."))
        return data
