from __future__ import annotations

from typing import Any

from allauth.socialaccount import forms as social
from django.utils.translation import gettext as _

from accounts.forms import WithoutPlaceholders


class SignupForm(WithoutPlaceholders, social.SignupForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("Email address")
        username = self.fields["username"]
        username.help_text = _("What others type to reach you. Letters, digits, dots, hyphens and underscores.")
        username.widget.attrs |= {"autocapitalize": "none", "spellcheck": "false"}


class DisconnectForm(WithoutPlaceholders, social.DisconnectForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"].label = _("Account")
        self.fields["account"].widget.attrs["autocomplete"] = "off"
