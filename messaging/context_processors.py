from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from messaging.sidebar_reading import sidebar_rooms


def sidebar(request: HttpRequest) -> dict[str, Any]:
    """Give signed-in pages `sidebar_rooms`, fetched only if the page shows it."""
    # A request that was refused early, such as one for another host, never got as far as having a user.
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    return {"sidebar_rooms": SimpleLazyObject(lambda: sidebar_rooms(user))}
