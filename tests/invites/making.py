"""Invitations for tests, and what people do with them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.test import Client
from django.urls import reverse

from accounts.models import User
from invites.actions import make_invite
from invites.models import Invite
from rooms.models import Room

LIST = reverse("invites:list")
HELD = reverse("invites:held")
WEEK = timedelta(days=7)


def invited(*rooms: Room, by: User, max_uses: int | None = None, lasts: timedelta = WEEK) -> tuple[Invite, str]:
    """Return an invitation and its path."""
    invite, token = make_invite(rooms=rooms, lasts=lasts, max_uses=max_uses, actor=by)
    return invite, reverse("invites:invite", args=[token])


def make(browser: Client, *rooms: Room, **changes: str) -> Any:
    fields = {"rooms": [room.pk for room in rooms], "max_uses": "1", "lasts": "week", "label": ""}
    return browser.post(LIST, fields | changes)


def path_shown(response: Any) -> str:
    link: str = response.context["link"]
    return link.removeprefix("http://testserver")
