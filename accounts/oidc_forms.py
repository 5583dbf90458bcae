from __future__ import annotations

from typing import Any

from allauth.socialaccount import forms as social
from django.utils.translation import gettext as _

from accounts.forms import NewPerson, WithoutPlaceholders


class SignupForm(NewPerson, social.SignupForm):
    """Asks whoever is new here for a username and an address, with what the provider proposes."""


class DisconnectForm(WithoutPlaceholders, social.DisconnectForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"].label = _("Account")
        self.fields["account"].widget.attrs["autocomplete"] = "off"
