from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.models import User
from messaging.mentions import with_mentions
from rooms.models import Room


def sidebar(request: HttpRequest) -> dict[str, Any]:
    """Give signed-in pages `sidebar_rooms`, fetched only if the page shows it."""
    # A request that was refused early, such as one for another host, never got as far as having a user.
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    return {"sidebar_rooms": SimpleLazyObject(lambda: list(_rooms_of(user)))}


def _rooms_of(user: User) -> QuerySet[Room]:
    return with_mentions(Room.objects.of(user).current().with_unread(user), user)
