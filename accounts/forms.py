"""Our own forms, and allauth's with what they lack here."""

from __future__ import annotations

from typing import Any, cast

from allauth.account import app_settings
from allauth.account import forms as allauth
from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actions import change_email
from accounts.models import User
from accounts.names import RESERVED
from accounts.skeletons import skeleton
from project import limits
from project.address import client_network
from project.errors import too_many_requests
from project.fields import CleanNameField
from project.files.kinds import HEAD_BYTES, type_of

HOUR = 3600


class ProfileForm(forms.Form):
    name = CleanNameField(
        label=gettext_lazy("Display name"),
        max_length=settings.DISPLAY_NAME_MAX,
        required=False,
        help_text=gettext_lazy("Leave it empty to be shown by your username."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        refuse_lookalike(name, self.person)
        return name


class LanguageForm(forms.Form):
    language = forms.ChoiceField(
        label=gettext_lazy("Language of the pages"),
        choices=lambda: [("", _("Automatic, as your browser asks")), *settings.LANGUAGES],
        required=False,
        widget=forms.Select(attrs={"class": "select", "autocomplete": "off"}),
    )


class WritingForm(forms.Form):
    enter_sends = forms.TypedChoiceField(
        label=gettext_lazy("The Enter key"),
        choices=[
            ("yes", gettext_lazy("sends the message; Shift+Enter breaks the line")),
            ("no", gettext_lazy("breaks the line; Ctrl+Enter, on a Mac ⌘+Enter, sends the message")),
        ],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect(attrs={"autocomplete": "off"}),
    )


class PictureForm(forms.Form):
    """A picture, and the square of it to be shown: its place and side, in parts of the picture's shorter side."""

    picture = forms.FileField(
        label=gettext_lazy("Picture"),
        help_text=gettext_lazy("PNG, JPEG, GIF or WebP."),
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/gif,image/webp", "autocomplete": "off"}),
    )
    left = forms.FloatField(required=False, min_value=0, max_value=100, widget=forms.HiddenInput)
    top = forms.FloatField(required=False, min_value=0, max_value=100, widget=forms.HiddenInput)
    side = forms.FloatField(required=False, min_value=0.01, max_value=1, widget=forms.HiddenInput)

    def clean_picture(self) -> UploadedFile[bytes]:
        file: UploadedFile[bytes] = self.cleaned_data["picture"]
        if (file.size or 0) > settings.UPLOAD_MAX_BYTES:
            limit = settings.UPLOAD_MAX_BYTES // (1024 * 1024)
            raise ValidationError(_("This file is too large: use at most %(limit)d MB.") % {"limit": limit})
        if type_of(file.read(HEAD_BYTES)).kind != "image":
            raise ValidationError(_("Choose a PNG, JPEG, GIF or WebP image."), code="image")
        file.seek(0)
        return file


def refuse_lookalike(name: str, person: User) -> None:
    """Raise `ValidationError` for a display name that passes for somebody else's, or for the site's own people."""
    if skeleton(name) in RESERVED:
        raise ValidationError(_("This name is reserved. Choose another one."), code="reserved")
    if name and User.objects.looking_like(name).exclude(pk=person.pk).exists():
        raise ValidationError(_("This name is taken. Add something that tells you apart."), code="unique")


class WithoutPlaceholders:
    """Every field has a label: saying the same inside the field would only hide what is to be typed there."""

    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)


class LoginForm(WithoutPlaceholders, allauth.LoginForm):
    oidc_name = property(lambda form: settings.SOCIALACCOUNT_PROVIDERS and settings.OIDC_NAME)
    sends_mail = property(lambda form: bool(settings.EMAIL_HOST))
    signup_is_open = property(lambda form: get_adapter().is_open_for_signup(form.request))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        login = self.fields["login"]
        login.label = _("Username or email address")
        login.widget.attrs |= {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}


class NewPerson(WithoutPlaceholders):
    """What signing up with a password and through a provider have in common."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("Email address")
        username = self.fields["username"]
        username.help_text = _("What others type to reach you. Letters, digits, dots, hyphens and underscores.")
        username.widget.attrs |= {"autocapitalize": "none", "spellcheck": "false"}

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        """Save the person, their address and who the provider says they are together, or nothing.

        Somebody may have taken one of them since the form was checked: the database then refuses.
        """
        form: Any = super()
        try:
            with transaction.atomic():
                saved: tuple[User | None, HttpResponse | None] = form.try_save(request)
                return saved
        except IntegrityError:
            messages.error(request, _("Somebody else signed up in the same instant. Please try again."))
            return None, HttpResponseRedirect(request.get_full_path())


class SignupForm(NewPerson, allauth.SignupForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Django lists every rule; the one that people meet first is enough, and the others say so when broken.
        self.fields["password1"].help_text = _("At least 10 characters, and nothing common.")
        trap = self.fields[app_settings.SIGNUP_FORM_HONEYPOT_FIELD]
        trap.label = _("Leave this empty")
        trap.widget = forms.TextInput(attrs={"tabindex": "-1", "autocomplete": "off"})

    def clean_email(self) -> str:
        email: str = super().clean_email()
        adapter: Any = get_adapter()
        domains = settings.SIGNUP_DOMAINS
        if domains and email.rpartition("@")[2] not in domains and not adapter.is_invited(adapter.request):
            sentence = _("Only addresses at %(domains)s can sign up here.") % {"domains": ", ".join(domains)}
            raise ValidationError(sentence, code="domain")
        return email

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        """Save as ever. Whether there is an account with the address makes no difference to the limit."""
        _limit_signups(request)
        return super().try_save(request)


class ChangeEmailForm(WithoutPlaceholders, allauth.AddEmailForm):
    """Changes the address: once it is confirmed, or at once on a site that can't send mail."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("New email address")

    def clean_email(self) -> str:
        email: str = super().clean_email()
        # Where addresses are confirmed, the owner of this one finds out by mail; nobody else does.
        if not _addresses_are_confirmed() and User.objects.filter(email=email).exists():
            raise get_adapter().validation_error("email_taken")
        return email

    def save(self, request: HttpRequest) -> EmailAddress:
        if _addresses_are_confirmed():
            return cast(EmailAddress, super().save(request))
        try:
            return change_email(cast(User, self.user), email=self.cleaned_data["email"])
        except IntegrityError:
            messages.error(request, get_adapter().error_messages["email_taken"])
            raise ImmediateHttpResponse(HttpResponseRedirect(request.get_full_path())) from None


class ResetPasswordForm(WithoutPlaceholders, allauth.ResetPasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not settings.EMAIL_HOST:
            self.fields["email"].help_text = _("This site can't send mail yet: ask whoever runs it for the link.")


class ResetPasswordKeyForm(WithoutPlaceholders, allauth.ResetPasswordKeyForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _label_passwords(self.fields)


class ChangePasswordForm(WithoutPlaceholders, allauth.ChangePasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _label_passwords(self.fields, oldpassword=_("Current password"))


class SetPasswordForm(WithoutPlaceholders, allauth.SetPasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _label_passwords(self.fields)


class ReauthenticateForm(WithoutPlaceholders, allauth.ReauthenticateForm):
    pass


class RequestLoginCodeForm(WithoutPlaceholders, allauth.RequestLoginCodeForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("Email address")


class ConfirmLoginCodeForm(WithoutPlaceholders, allauth.ConfirmLoginCodeForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = _("Code")
        self.fields["code"].widget.attrs |= {"autocapitalize": "characters", "spellcheck": "false"}


def _limit_signups(request: HttpRequest) -> None:
    adapter: Any = get_adapter()
    if adapter.is_invited(request):
        return
    try:
        limits.take(f"signup:{client_network(request)}", times=settings.SIGNUPS_PER_HOUR, seconds=HOUR)
    except limits.TooOftenError as error:
        raise ImmediateHttpResponse(too_many_requests(request, seconds=error.seconds)) from None


def _label_passwords(fields: dict[str, forms.Field], **labels: str) -> None:
    labels |= {"password1": _("New password"), "password2": _("New password, once more")}
    for name, label in labels.items():
        fields[name].label = label


def _addresses_are_confirmed() -> bool:
    return bool(app_settings.EMAIL_VERIFICATION == app_settings.EmailVerificationMethod.MANDATORY)
