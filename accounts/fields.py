from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from project.cleaning import clean_name


class CleanNameField(forms.CharField):
    """One line of text in normal form, measured after cleaning and never cut."""

    def __init__(self, *, max_length: int, **options: Any) -> None:
        super().__init__(**options)
        self.limit = max_length
        self.widget.attrs["maxlength"] = str(max_length)

    def to_python(self, value: Any) -> str:
        # Django's own checks of the characters come after cleaning, so that they say the same as ours.
        text = clean_name(value if isinstance(value, str) else "")
        if len(text) > self.limit:
            raise ValidationError(_("Use at most %(limit)d characters.") % {"limit": self.limit}, code="max_length")
        return text
