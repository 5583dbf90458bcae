"""Sending wake-ups. A wake-up carries a position or a name, never text: any role that may connect can LISTEN."""

from __future__ import annotations

from django.db import connection


def publish(channel: str, payload: str) -> None:
    """Send one NOTIFY in a statement of its own (the caller has no transaction open).

    Raises `django.db.Error` when it can't be sent; readers then find what it announced by themselves, seconds later.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [channel, payload])
