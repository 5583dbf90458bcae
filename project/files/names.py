"""What a file is called: shown, and offered when it is saved, but never a path."""

from __future__ import annotations

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from project.cleaning import BIDIRECTIONAL, clean_name

NAME_MAX = 150
_EXTENSION_MAX = 16


def clean_filename(name: str) -> str:
    """Return a file's name without folders, line breaks and directions; one that says nothing is `file`.

    Raises `ValidationError` for a NUL and for characters that are broken.
    """
    if "\0" in name:
        raise ValidationError(_("This file has a name that can't be kept. Rename it first."), code="name")
    last = re.split(r"[/\\]", name)[-1]
    plain = "".join(each for each in BIDIRECTIONAL.sub("", last) if unicodedata.category(each) != "Cc")
    return _shortened(_cleaned(plain).strip(". ") or "file")


def _cleaned(name: str) -> str:
    try:
        return clean_name(name)
    except ValidationError as error:
        if error.code == "blank":
            return ""
        raise


def _shortened(name: str) -> str:
    """Cut the middle out of a long name: what it ends with tells what it is."""
    if len(name) <= NAME_MAX:
        return name
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension) > _EXTENSION_MAX:
        return name[:NAME_MAX]
    return stem[: NAME_MAX - len(dot + extension)] + dot + extension
