from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import EMAIL_MAX, User
from project.fields import CleanNameField, NumberField
from rooms.filters import LINE_MAX, LINES_MAX, cleaned
from rooms.models import Membership, Role, Room

BAN_LASTS = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "month": timedelta(days=30),
    "always": None,
}


class RoomDetailsForm(forms.Form):
    name = CleanNameField(label=gettext_lazy("Name"), max_length=settings.ROOM_NAME_MAX)
    topic = CleanNameField(label=gettext_lazy("Topic"), max_length=settings.ROOM_TOPIC_MAX, required=False)


class KindForm(forms.Form):
    kind = forms.ChoiceField(
        label=gettext_lazy("Who can join"),
        choices=[
            (Room.Kind.PUBLIC, gettext_lazy("Everyone: it is listed, and anybody here may join")),
            (Room.Kind.PRIVATE, gettext_lazy("Only people you add: nobody else learns that it exists")),
        ],
        initial=Room.Kind.PUBLIC,
        widget=forms.RadioSelect,
    )


def _roles(*sentences: Any) -> list[tuple[str, Any]]:
    """Return the choice of the lowest role that may do something, a sentence for each, the lowest first."""
    return list(zip((Role.MEMBER, Role.MODERATOR, Role.OWNER), sentences, strict=True))


ROLES = _roles(gettext_lazy("All members"), gettext_lazy("Owners and moderators"), gettext_lazy("Owners"))
SLOWNESS: list[tuple[int, Any]] = [
    (0, gettext_lazy("As they like")),
    (5, gettext_lazy("One in 5 seconds")),
    (15, gettext_lazy("One in 15 seconds")),
    (30, gettext_lazy("One in 30 seconds")),
    (60, gettext_lazy("One a minute")),
    (300, gettext_lazy("One in 5 minutes")),
    (900, gettext_lazy("One in 15 minutes")),
    (3600, gettext_lazy("One an hour")),
]


class PolicyForm(forms.Form):
    who_posts = forms.ChoiceField(
        label=gettext_lazy("Who may write"),
        choices=ROLES,
        help_text=gettext_lazy("The others read, and put emoji on messages: a room for announcements."),
        widget=forms.Select(attrs={"class": "select"}),
    )
    who_invites = forms.ChoiceField(
        label=gettext_lazy("Who may add people"), choices=ROLES, widget=forms.Select(attrs={"class": "select"})
    )
    who_calls_all = forms.ChoiceField(
        label=gettext_lazy("Who may call everybody with @room"),
        choices=ROLES,
        widget=forms.Select(attrs={"class": "select"}),
    )
    who_pins = forms.ChoiceField(
        label=gettext_lazy("Who may pin messages"), choices=ROLES, widget=forms.Select(attrs={"class": "select"})
    )
    slow_seconds = forms.TypedChoiceField(
        label=gettext_lazy("How often a member may write"),
        choices=SLOWNESS,
        coerce=int,
        help_text=gettext_lazy("Owners and moderators don't have to wait."),
        widget=forms.Select(attrs={"class": "select"}),
    )
    history = forms.ChoiceField(
        label=gettext_lazy("What a member can read while the room is private"),
        choices=[
            (Room.History.FULL, gettext_lazy("All that was ever said in it")),
            (Room.History.JOINED, gettext_lazy("Only what was said since they joined")),
        ],
        widget=forms.RadioSelect,
    )


class RoomForm(RoomDetailsForm, KindForm):
    field_order = ("name", "topic", "kind")


class DeletionForm(forms.Form):
    """Asks for the room's name, so that nobody deletes a room by a slip of the hand."""

    prefix = "delete"  # the page has another name's field
    name = CleanNameField(
        label=gettext_lazy("Name of the room"),
        max_length=settings.ROOM_NAME_MAX,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, room: Room, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._room = room

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name != self._room.name:
            raise ValidationError(_("This is not the room's name. Type it as it is written above."), code="other")
        return name


class BanForm(forms.Form):
    reason = CleanNameField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("Only this room's moderators see it."),
        max_length=settings.BAN_REASON_MAX,
        required=False,
    )
    duration = forms.ChoiceField(
        label=gettext_lazy("For how long"),
        choices=[
            ("hour", gettext_lazy("An hour")),
            ("day", gettext_lazy("A day")),
            ("week", gettext_lazy("A week")),
            ("month", gettext_lazy("30 days")),
            ("always", gettext_lazy("Until it is lifted")),
        ],
        initial="always",
        widget=forms.Select(attrs={"class": "select"}),
    )

    @property
    def expires_at(self) -> datetime | None:
        lasts = BAN_LASTS[self.cleaned_data["duration"]]
        return timezone.now() + lasts if lasts else None


class RaidForm(forms.Form):
    prefix = "raid"
    hours = forms.TypedChoiceField(
        label=gettext_lazy("Who can't write"),
        choices=[
            (1, gettext_lazy("Accounts of the last hour")),
            (24, gettext_lazy("Accounts of the last day")),
            (24 * 7, gettext_lazy("Accounts of the last week")),
        ],
        initial=24,
        coerce=int,
        widget=forms.Select(attrs={"class": "select"}),
    )
    lasts = forms.TypedChoiceField(
        label=gettext_lazy("For how long"),
        choices=[
            (1, gettext_lazy("An hour")),
            (6, gettext_lazy("6 hours")),
            (24, gettext_lazy("A day")),
            (24 * 7, gettext_lazy("A week")),
        ],
        initial=6,
        coerce=int,
        widget=forms.Select(attrs={"class": "select"}),
    )

    @property
    def expires_at(self) -> datetime:
        return timezone.now() + timedelta(hours=self.cleaned_data["lasts"])


class WordsForm(forms.Form):
    words = forms.CharField(
        label=gettext_lazy("Words and hosts, one a line"),
        help_text=gettext_lazy("Whoever writes one of them, or a link to one of the hosts, gets their message back."),
        max_length=LINES_MAX * (LINE_MAX + 1),
        required=False,
        widget=forms.Textarea(attrs={"rows": 5, "autocapitalize": "none", "spellcheck": "false", "dir": "auto"}),
    )

    def clean_words(self) -> str:
        words = cleaned(self.cleaned_data["words"])
        lines = words.splitlines()
        if len(lines) > LINES_MAX or any(len(line) > LINE_MAX for line in lines):
            limits = {"lines": LINES_MAX, "characters": LINE_MAX}
            raise ValidationError(_("Use at most %(lines)d lines of %(characters)d characters.") % limits, code="long")
        return words


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
    email = forms.EmailField(label=gettext_lazy("Email address"), max_length=EMAIL_MAX)
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
