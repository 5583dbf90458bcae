"""Form fields for what people and programs send."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from project.cleaning import clean_name

POSITION_MAX = 2**63 - 1
_DIGITS = re.compile("[0-9]{1,19}")


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


class NumberField(forms.IntegerField):
    """A position or an id in plain digits; Python would also read `1_000`, ` 1.0 ` and digits of other scripts."""

    def __init__(self, *, min_value: int = 0, max_value: int = POSITION_MAX, **options: Any) -> None:
        super().__init__(min_value=min_value, max_value=max_value, **options)

    def to_python(self, value: Any) -> int | None:
        if value not in self.empty_values and not _DIGITS.fullmatch(str(value)):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)
