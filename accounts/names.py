"""What people may be called."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.core.validators import MinLengthValidator, RegexValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

if TYPE_CHECKING:
    from accounts.models import User

USERNAME_MAX = 30
RESERVED = frozenset(
    (
        *("admin", "administrator", "moderator", "owner", "root", "security", "staff", "support", "system", "earshot"),
        *("all", "channel", "everyone", "here", "room"),
    )
)


def refuse_reserved(username: str) -> None:
    if username.lower() in RESERVED:
        raise ValidationError(_("This username is reserved. Choose another one."), code="reserved")


# ASCII only: a name that is typed to reach a person must not have look-alikes in other scripts. No punctuation at the
# end: "ask @ana." must reach ana.
USERNAME_VALIDATORS: list[Callable[[str], None]] = [
    RegexValidator(
        r"\A[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\Z",
        gettext_lazy(
            "Use letters a to z, digits, dots, hyphens and underscores, with a letter or digit first and last."
        ),
    ),
    MinLengthValidator(2),
    refuse_reserved,
]


def display_name(user: User) -> str:
    return user.display_name


def initials(name: str) -> str:
    """Return one or two letters that stand for a name in an avatar."""
    words = [word for word in name.replace("_", " ").replace(".", " ").replace("-", " ").split() if word[0].isalnum()]
    if not words:
        return name[:1] or "?"
    letters = [words[0][0], *(word[0] for word in words[1:][-1:])]
    return unicodedata.normalize("NFC", "".join(letter.upper()[:1] for letter in letters))
