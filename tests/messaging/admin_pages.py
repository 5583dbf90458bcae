"""The admin's pages of messages."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import User
from messaging.models import Message
from rooms.models import Event

MESSAGES = reverse("admin:messaging_message_changelist")


def page_of(message: Message, step: str = "change") -> str:
    return reverse(f"admin:messaging_message_{step}", args=[message.pk])


def listed(browser: Client, query: str = "") -> list[str]:
    return [message.text for message in browser.get(f"{MESSAGES}?{query}").context["cl"].result_list]


def state() -> list[Any]:
    rows = [list(model.objects.order_by("pk").values()) for model in (Message, Event, LogEntry)]
    return [*rows, len(connection.run_on_commit)]


def assert_deleted(message: Message, actor: User) -> None:
    """It is a tombstone, its room's log says so, and the admin's history names who did it, once."""
    message.refresh_from_db()
    assert message.is_deleted
    assert (message.text, message.html) == ("", "")
    [event] = message.events.filter(kind=Event.Kind.MESSAGE_DELETED)
    assert event.actor == actor
    [entry] = LogEntry.objects.filter(content_type__model="message", object_id=str(message.pk))
    assert (entry.user, entry.is_deletion()) == (actor, True)
