"""What a name looks like, so that nobody can pass for somebody else by a letter of another script."""

from __future__ import annotations

import re
import unicodedata

# Letters of other scripts that are drawn like Latin ones, in either case (from Unicode's UTS #39, confusables.txt).
_CYRILLIC = ("\u0430\u0432\u0435\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445", "abekmhopctyx")
_CYRILLIC_RARE = ("\u0433\u0455\u0456\u0458\u0475\u04bb\u04cf\u0501\u051b\u051d", "rsijvhldqw")
_GREEK = ("\u03b1\u03b2\u03b5\u03b6\u03b7\u03b9\u03ba\u03bc\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7", "abezhikmnoptyx")
_ARMENIAN = ("\u0563\u0570\u0578\u057d\u0581\u0585", "qhnugo")
_LATIN = ("\u0131\u0237\u0251\u0261\u0269\u028b\u0299\u1d0f", "ijagivbo")

_LOOKS_LIKE = {
    ord(letter): latin
    for letters, latins in (_CYRILLIC, _CYRILLIC_RARE, _GREEK, _ARMENIAN, _LATIN)
    for letter, latin in zip(letters, latins, strict=True)
}

# Joiners, fillers, variation selectors and other characters that are drawn as nothing.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff]"
)


def skeleton(name: str) -> str:
    """Return one text for all names that people can't tell apart.

    Case, width, composition, spaces, characters that are not drawn and letters drawn alike make no difference.
    """
    visible = _INVISIBLE.sub("", unicodedata.normalize("NFKC", name).casefold())
    return " ".join(unicodedata.normalize("NFKC", visible.translate(_LOOKS_LIKE)).split())
