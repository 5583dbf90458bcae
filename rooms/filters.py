"""Words and links that are not let through, in one room or in all."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from django.db import models
from django.utils.translation import gettext_lazy as _

LINES_MAX = 200
LINE_MAX = 60
_INVISIBLE = {"Cf", "Mn"}  # what can be put between letters without being seen


class WordFilter(models.Model):
    """A room's list, or, without one, the whole site's: a word or the host of links a line."""

    room = models.OneToOneField(
        "Room", models.CASCADE, null=True, blank=True, related_name="word_filter", verbose_name=_("room")
    )
    words = models.TextField(_("words and hosts, one a line"), max_length=LINES_MAX * (LINE_MAX + 1))

    class Meta:
        verbose_name = _("word filter")
        verbose_name_plural = _("word filters")
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(models.Value(1), condition=models.Q(room=None), name="word_filter_of_site_unique"),
        )

    def __str__(self) -> str:
        return str(self.room or _("everywhere"))


def cleaned(words: str) -> str:
    """Return a list as it is kept: each line once, without what is around it, and none of which nothing is seen."""
    lines = (" ".join(line.split()) for line in words.splitlines())
    return "\n".join(dict.fromkeys(line for line in lines if _plain(line).strip()))


def found_in(text: str, words: str) -> str | None:
    """Return the first of the words or hosts that stands in a text, whatever its case and what is hidden in it."""
    pattern = _pattern(words)
    found = pattern.search(_plain(text)) if pattern else None
    return found.group("found") if found else None


@lru_cache(maxsize=256)
def _pattern(words: str) -> re.Pattern[str] | None:
    lines = [plain for line in words.splitlines() if (plain := _plain(line).strip())]
    if not lines:
        return None
    either = "|".join(_alternative(line) for line in sorted(lines, key=len, reverse=True))
    return re.compile(rf"(?<![\w.-])(?P<found>{either})(?![\w-])")


def _alternative(line: str) -> str:
    is_host = "." in line.strip(".") and " " not in line
    return (r"(?:[\w-]+\.)*" if is_host else "") + re.escape(line)


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(each for each in decomposed if unicodedata.category(each) not in _INVISIBLE).casefold()
