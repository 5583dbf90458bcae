from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any, cast

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from messaging.emoji import canonical
from messaging.models import Message
from messaging.reports import Report
from project.cleaning import clean_body
from project.fields import CleanNameField, NumberField
from project.files.names import clean_filename
from project.files.store import KEY_PATTERN
from rooms.models import SLUG_MAX, Room


class LeavingForm(forms.Form):
    """Asks for the person's username, so that nobody deletes their account by a slip of the hand."""

    takes_messages = forms.TypedChoiceField(
        label=gettext_lazy("What you wrote"),
        choices=[
            ("no", gettext_lazy("stays, as written by a former member")),
            ("yes", gettext_lazy("goes with you, with your files")),
        ],
        initial="no",
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect(attrs={"autocomplete": "off"}),
    )
    username = forms.CharField(
        label=gettext_lazy("Your username"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, username: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._username = username

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"].strip().removeprefix("@").lower()
        if username != self._username:
            raise ValidationError(_("This is not your username."), code="other")
        return username


class BodyField(forms.CharField):
    """A message's text in normal form: not blank, and within both limits after cleaning."""

    widget = forms.Textarea
    may_be_blank = False  # where files say enough

    def to_python(self, value: Any) -> str:
        try:
            text = clean_body(value if isinstance(value, str) else "")
        except ValidationError as error:
            if self.may_be_blank and error.code == "blank":
                return ""
            raise
        if len(text) > settings.MESSAGE_MAX_CHARACTERS or len(text.encode()) > settings.MESSAGE_MAX_BYTES:
            limit = settings.MESSAGE_MAX_CHARACTERS
            raise ValidationError(_("Use at most %(limit)d characters.") % {"limit": limit}, code="max_length")
        return text


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=timezone.get_default_timezone())


class KeysField(forms.Field):
    """Keys of files, separated by commas."""

    def to_python(self, value: Any) -> list[str]:
        keys = [key for key in (value or "").split(",") if key]
        if len(set(keys)) != len(keys) or not all(KEY_PATTERN.fullmatch(key) for key in keys):
            raise ValidationError(_("These are no files of yours."), code="keys")
        return keys

    def run_validators(self, value: Any) -> None:
        refuse_too_many(len(value))


def refuse_too_many(count: int) -> None:
    limit = settings.UPLOADS_PER_MESSAGE
    if count > limit:
        raise ValidationError(_("Send at most %(limit)d files with a message.") % {"limit": limit}, code="too_many")


class UploadForm(forms.Form):
    name = forms.CharField(required=False, strip=False)

    def clean_name(self) -> str:
        return clean_filename(self.cleaned_data["name"])


class EditForm(forms.Form):
    text = BodyField(
        label=gettext_lazy("Message"), widget=forms.Textarea(attrs={"rows": 1, "autocomplete": "off", "dir": "auto"})
    )


def may_be_blank(form: forms.Form, has_files: bool) -> None:
    """Let a message with files be one without text."""
    field = cast(BodyField, form.fields["text"])
    field.required = not has_files
    field.may_be_blank = has_files


class MessageForm(EditForm):
    client_id = forms.UUIDField(widget=forms.HiddenInput)
    reply_to = NumberField(required=False, min_value=1, widget=forms.HiddenInput)
    attachments = KeysField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, room: Room, has_files: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._room = room
        may_be_blank(self, has_files or bool(self.data.get("attachments", "").strip(",")))

    def clean_reply_to(self) -> Message | None:
        pk = self.cleaned_data["reply_to"]
        if pk is None:
            return None
        # With its author, who may leave the site before the answer says whom it quotes.
        messages = Message.objects.after(self._room.readable_after).select_related("author")
        message = messages.filter(room=self._room, pk=pk).first()
        if message is None:
            raise ValidationError(_("The message you reply to is not in this room."), code="reply_to")
        return message


class ReactionForm(forms.Form):
    emoji = forms.CharField(strip=False, max_length=100)
    remove = forms.BooleanField(required=False)

    def clean_emoji(self) -> str:
        found = canonical(self.cleaned_data["emoji"])
        if found is None:
            raise ValidationError(_("This is not one emoji."), code="emoji")
        return found


class ReportForm(forms.Form):
    reason = CleanNameField(
        label=gettext_lazy("What is wrong with it"),
        help_text=gettext_lazy("The moderators of this room see it, and that it comes from you."),
        max_length=settings.REPORT_REASON_MAX,
    )


class DecisionForm(forms.Form):
    outcome = forms.ChoiceField(choices=Report.Outcome.choices)


class RecentForm(forms.Form):
    """How far back somebody's messages are deleted."""

    recent = forms.ChoiceField(
        label=gettext_lazy("What they wrote"),
        choices=[("hour", gettext_lazy("in the last hour")), ("day", gettext_lazy("in the last day"))],
        initial="hour",
        widget=forms.RadioSelect,
    )

    @property
    def since(self) -> timedelta:
        return timedelta(days=1) if self.cleaned_data["recent"] == "day" else timedelta(hours=1)


class ForwardForm(forms.Form):
    """Where a message goes, as `text`: quoted, with its author's name and, if everybody may know of it, its room's."""

    room = forms.CharField(max_length=SLUG_MAX)
    client_id = forms.UUIDField()

    def __init__(self, *args: Any, message: Message, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._message = message

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self._message.is_deleted:
            raise ValidationError(_("This message was deleted."), code="deleted")
        lines = self._message.text.split("\n") if self._message.text else []
        quoted = "\n".join(f"> {line}".rstrip() for line in lines)
        data["text"] = BodyField().clean(f"{quoted}\n\n{self._attribution()}")
        return data

    def _attribution(self) -> str:
        author = self._message.author
        values = {
            "name": _plain(author.display_name if author else _("Former member")),
            "room": self._message.room.slug,
        }
        return (_("— %(name)s in #%(room)s") if self._message.room.is_public else _("— %(name)s")) % values


def _plain(name: str) -> str:
    """Return a name as Markdown that shows just that."""
    return re.sub(r"([\\`*_~\[\]<>@#|!&])", r"\\\1", name)


class HistoryForm(forms.Form):
    """Which page of a room's history: what stands before, after or around a position, or began at a time or day."""

    before = NumberField(required=False)
    after = NumberField(required=False)
    around = NumberField(required=False)
    at = NumberField(required=False)  # the same, in the address of a room's page
    since = forms.DateTimeField(required=False)
    day = forms.DateField(required=False)  # where no script knows the reader's time zone: the server's
    limit = NumberField(required=False, min_value=1, max_value=settings.HISTORY_PAGE_MAX)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        asked = [name for name in ("before", "after", "around", "at", "since", "day") if data.get(name) is not None]
        if len(asked) > 1:
            raise ValidationError(_("Ask for what is before a position or after it, not both."))
        if data.get("at") is not None:
            data["around"] = data["at"]
        if data.get("day") is not None:
            data["since"] = _midnight(data["day"])
        return data
