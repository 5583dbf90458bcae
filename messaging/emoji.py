"""The emoji there are: Unicode's, with the names that CLDR gives them, out of the package `emoji`."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import emoji

VERSION = emoji.__version__

_TONES = ("🏻", "🏼", "🏽", "🏾", "🏿")
_QUALIFIED = emoji.STATUS["fully_qualified"]
# What people reach for comes before what is in its neighbourhood by number only: faces, hands, hearts.
_FIRST = ((0x1F600, 0x1F64F), (0x1F910, 0x1F92F), (0x1F970, 0x1F97F), (0x1F440, 0x1F4FF), (0x2600, 0x27BF))


@lru_cache(maxsize=1)
def _spellings() -> dict[str, str]:
    """Return every way to write an emoji, with and without the mark that asks for colour: to the one that is kept."""
    kept = {data["en"]: text for text, data in emoji.EMOJI_DATA.items() if data["status"] == _QUALIFIED}
    return {text: kept[data["en"]] for text, data in emoji.EMOJI_DATA.items() if data["en"] in kept}


def canonical(text: str) -> str | None:
    """Return an emoji as it is kept, or None for what is not exactly one."""
    return _spellings().get(text)


@lru_cache(maxsize=8)
def listing(language: str) -> list[tuple[str, str, int]]:
    """Return all emoji but those of a skin tone: each with its names, parted by spaces, and 1 if it can have a tone.

    The first name is in the language, if the package has it; the English ones follow, so that `:tada:` is found.
    """
    if language in emoji.LANGUAGES:
        emoji.config.load_language(language)
    kept = set(_spellings().values())
    plain = [text for text in kept if not any(tone in text for tone in _TONES)]
    return [(text, _names(text, language), int(_toned(text) in kept)) for text in sorted(plain, key=_place)]


def _names(text: str, language: str) -> str:
    data: dict[str, Any] = emoji.EMOJI_DATA[text]
    names = [data.get(language, data["en"]), data["en"], *data.get("alias", ())]
    return " ".join(dict.fromkeys(name.strip(":").lower() for name in names))


def _toned(text: str) -> str:
    return text[0] + _TONES[0] + text[1:].removeprefix("\ufe0f")


def _place(text: str) -> tuple[int, str]:
    ranks = (rank for rank, (first, last) in enumerate(_FIRST) if first <= ord(text[0]) <= last)
    return next(ranks, len(_FIRST)), text
