"""allauth's forms for passkeys and codes, with what they lack here."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.mfa.base import forms as base
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as webauthn
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.forms import WithoutPlaceholders
from project.fields import CleanNameField


class _WithCode(WithoutPlaceholders):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = _("Code")
        self.fields["code"].widget.attrs |= {"inputmode": "numeric", "autocapitalize": "none", "spellcheck": "false"}


class AuthenticateForm(_WithCode, base.AuthenticateForm):
    pass


class ReauthenticateForm(_WithCode, base.ReauthenticateForm):
    pass


class ActivateTOTPForm(_WithCode, totp.ActivateTOTPForm):
    pass


def _name_field(*, required: bool) -> CleanNameField:
    return CleanNameField(
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("For you to know it by, for instance where it is kept."),
        max_length=settings.PASSKEY_NAME_MAX,
        required=required,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class CredentialField(forms.JSONField):
    """What a browser says of a passkey. It is not shown again: it is good for one answer."""

    def __init__(self) -> None:
        super().__init__(required=True, widget=forms.HiddenInput)

    def to_python(self, value: Any) -> Any:
        credential = super().to_python(value)
        if not isinstance(credential, dict):
            raise _refusal()
        return credential

    def prepare_value(self, value: Any) -> str:
        return ""


@contextmanager
def _refusing_what_is_no_passkey() -> Iterator[None]:
    """Inside the block whatever the parsers stumble over is a `ValidationError`: they were written for browsers."""
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, struct.error):
        raise _refusal() from None
    except ValidationError as error:
        raise _refusal() if error.code == "incorrect_code" else error from None


def _refusal() -> ValidationError:
    return ValidationError(_("This passkey can't be used here."), code="passkey")


class AddPasskeyForm(webauthn.AddWebAuthnForm):
    """Every key that is added lets its person in by itself, and so has to check who holds it."""

    name = _name_field(required=False)
    credential = CredentialField()
    passwordless = forms.BooleanField(initial=True, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        with _refusing_what_is_no_passkey():
            cleaned: dict[str, Any] = super().clean()
            return cleaned


class EditPasskeyForm(webauthn.EditWebAuthnForm):
    name = _name_field(required=True)


class _WithPasskey:
    def clean_credential(self) -> Authenticator:
        with _refusing_what_is_no_passkey():
            found: Authenticator = super().clean_credential()  # type: ignore[misc]  # of the form that this is mixed into
            return found


class LoginPasskeyForm(_WithPasskey, webauthn.LoginWebAuthnForm):
    credential = CredentialField()


class AuthenticatePasskeyForm(_WithPasskey, webauthn.AuthenticateWebAuthnForm):
    credential = CredentialField()


class ReauthenticatePasskeyForm(_WithPasskey, webauthn.ReauthenticateWebAuthnForm):
    credential = CredentialField()
