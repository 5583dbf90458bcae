from __future__ import annotations

import secrets

from django.utils.text import slugify

from rooms.models import SLUG_MAX, Room

# Words that are, or may become, addresses of their own beside `/rooms/<slug>/`.
RESERVED = frozenset({"new", "search", "invite", "archived", "direct"})


def free_slug(name: str, kind: str) -> str:
    """Return an address for a room of this name and kind that no other room has at the moment.

    A private room's is never its plain name: finding that taken would tell anybody that there is such a room.
    """
    stem = slugify(name)[: SLUG_MAX - 7].strip("-_") or "room"
    is_plain = kind == Room.Kind.PUBLIC and stem not in RESERVED
    if is_plain and not Room.with_deleted.filter(slug=stem).exists():
        return stem
    return f"{stem}-{secrets.token_hex(3)}"
