"""All that the site keeps about a person, for them to take along."""

from __future__ import annotations

from typing import Any

from django.db.models import F, QuerySet

from accounts.models import Device, User
from messaging.models import Attachment, Message, Reaction
from rooms.models import Membership

FORMAT = 1


def export_of(user: User) -> dict[str, Any]:
    """Return a person's profile, memberships, messages, files and reactions, as JSON has them; times are in UTC.

    What others wrote is theirs, and is not in it. Of rooms that the person has left it has only what they wrote there.
    """
    return {
        "format": FORMAT,
        "profile": _profile(user),
        "devices": _rows(Device.objects.filter(user=user), "browser", "system", "network", "created_at", "seen_at"),
        "memberships": _rows(
            Membership.objects.in_force().filter(user=user).order_by("pk"),
            "role",
            "joined_at",
            "last_read_position",
            room_name=F("room__name"),
            room_address=F("room__slug"),
        ),
        "messages": _rows(
            Message.objects.filter(author=user, deleted_at=None).order_by("pk"),
            "id",
            "position",
            "text",
            "created_at",
            "edited_at",
            room_name=F("room__name"),
            room_address=F("room__slug"),
        ),
        "files": _rows(
            Attachment.objects.filter(uploader=user).order_by("pk"),
            "key",
            "name",
            "size",
            "sha256",
            "content_type",
            "created_at",
            "message_id",
        ),
        "reactions": _rows(Reaction.objects.filter(user=user).order_by("pk"), "emoji", "message_id"),
    }


def _profile(user: User) -> dict[str, Any]:
    names = ("username", "name", "email", "language", "enter_sends", "date_joined", "last_login")
    return {name: getattr(user, name) for name in names}


def _rows(found: QuerySet[Any], *fields: str, **named: F) -> list[dict[str, Any]]:
    return list(found.values(*fields, **named))
