"""The names of PostgreSQL NOTIFY channels."""

from __future__ import annotations

import re
import secrets
import unicodedata

# PostgreSQL cuts identifiers at NAMEDATALEN - 1 bytes (manual, "Lexical Structure", 4.1.1).
CHANNEL_MAX = 63
CHANNEL_PATTERN = r"^room_[a-z0-9_]+_[0-9a-f]{12}$"
_SUFFIX_BYTES = 6
_STEM_MAX = CHANNEL_MAX - len("room_") - len("_") - 2 * _SUFFIX_BYTES


def channel_name(room_name: str) -> str:
    """Return a new channel name for a room: `room_`, what ASCII letters and digits its name has, a random suffix.

    At most 63 bytes of `a-z`, `0-9` and `_`, whatever the name holds. The suffix makes it unique; the database checks.
    """
    ascii_name = unicodedata.normalize("NFKD", room_name).encode("ascii", "ignore").decode().lower()
    stem = re.sub("[^a-z0-9]+", "_", ascii_name).strip("_")[:_STEM_MAX].rstrip("_") or "x"
    return f"room_{stem}_{secrets.token_hex(_SUFFIX_BYTES)}"
