from __future__ import annotations

import secrets

from django.utils.text import slugify

from rooms.models import SLUG_MAX, Room

# Words that are, or may become, addresses of their own beside `/rooms/<slug>/`.
RESERVED = frozenset({"new", "search", "invite", "archived", "direct"})


def free_slug(name: str) -> str:
    """Return an address for a room of this name that no other room has at the moment."""
    stem = slugify(name)[: SLUG_MAX - 7].strip("-_") or "room"
    if stem not in RESERVED and not Room.objects.filter(slug=stem).exists():
        return stem
    # Not counted up: a number would tell that private rooms of the same name exist, and how many.
    return f"{stem}-{secrets.token_hex(3)}"
