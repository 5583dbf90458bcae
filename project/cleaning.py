"""The cleaning of text that people send: one normal form, and a sentence for what can't be kept."""

from __future__ import annotations

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

# Unicode's bidirectional controls (UAX #9): in a name they would reorder the text around it.
BIDIRECTIONAL = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
MARKS_IN_A_ROW_MAX = 8
# Letters and marks that are drawn as nothing; with spaces and Unicode's format characters (Cf) all that is.
_FILLERS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_SPACE = re.compile(r"\s+")


def clean_body(text: str) -> str:
    """Return a message's text in NFC with Unix line ends, trimmed.

    Raises `ValidationError` for control characters, lone surrogates and stacked marks, and if nothing visible is left.
    """
    text = _clean(text.replace("\r\n", "\n").replace("\r", "\n"), allowed="\n\t").strip()
    if is_blank(text):
        raise ValidationError(_("Write something first."), code="blank")
    return text


def clean_name(text: str) -> str:
    """Return a one-line name in NFC with single spaces; raises `ValidationError` for what a name may not hold."""
    if BIDIRECTIONAL.search(text):
        raise ValidationError(_("Leave out characters that change the direction of text."), code="direction")
    text = _SPACE.sub(" ", _clean(text, allowed="\n\t")).strip()
    if text and is_blank(text):
        raise ValidationError(_("Use at least one visible character."), code="blank")
    return text


def is_blank(text: str) -> bool:
    return all(character.isspace() or unicodedata.category(character) == "Cf" for character in _FILLERS.sub("", text))


def _clean(text: str, *, allowed: str) -> str:
    # U+FFFD is what bytes that are no UTF-8 have been read as.
    if any("\ud800" <= character <= "\udfff" or character == "\ufffd" for character in text):
        raise ValidationError(_("This text has broken characters in it. Type it again."), code="surrogate")
    text = unicodedata.normalize("NFC", text)
    if any(unicodedata.category(character) == "Cc" and character not in allowed for character in text):
        raise ValidationError(_("Leave out control characters."), code="control")
    if _longest_run_of_marks(text) > MARKS_IN_A_ROW_MAX:
        raise ValidationError(_("There are too many accents on one letter."), code="marks")
    return text


def _longest_run_of_marks(text: str) -> int:
    """Return how many marks stand on one letter at most; characters that are not drawn don't part them."""
    longest = run = 0
    for character in text:
        category = unicodedata.category(character)
        # Not `combining`, which is 0 for many that are stacked all the same, such as Thai vowels.
        if category[0] == "M":
            run += 1
        elif category != "Cf":
            run = 0
        longest = max(longest, run)
    return longest
