"""What a request did: rows written, wake-ups sent, mails and files; and all that its answer says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core import mail
from django.db import connection
from django.db.models import Model
from django.http import HttpResponse

# What pg_stat_xact_user_tables says, asked of nothing but the tables that are the site's own.
_WRITTEN = """
    SELECT sum(pg_stat_get_xact_tuples_inserted(oid) + pg_stat_get_xact_tuples_updated(oid)
             + pg_stat_get_xact_tuples_deleted(oid))
    FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""


@dataclass
class Seen:
    """What a request did, beside answering."""

    written: int = 0
    told: int = 0
    mailed: int = 0
    filed: int = 0

    @property
    def anything(self) -> bool:
        return any((self.written, self.told, self.mailed, self.filed))


@contextmanager
def watched() -> Iterator[Seen]:
    """Count rows written (also those that a savepoint took back), wake-ups sent or promised, mails and files."""
    seen, sent = Seen(), []

    def note(execute: Any, sql: Any, parameters: Any, many: bool, context: Any) -> Any:
        if "pg_notify" in str(sql):
            sent.append(parameters)
        return execute(sql, parameters, many, context)

    written, promised, mailed, filed = _written(), len(connection.run_on_commit), len(mail.outbox), _files()
    with connection.execute_wrapper(note):
        yield seen
    seen.written = _written() - written
    seen.told = len(sent) + len(connection.run_on_commit) - promised
    seen.mailed = len(mail.outbox) - mailed
    seen.filed = len(_files() ^ filed)


def everything() -> dict[str, list[Any]]:
    """Return every row of every table."""
    return {model._meta.label: everything_of(model) for model in apps.get_models() if not model._meta.proxy}


def everything_of(model: type[Model]) -> list[Any]:
    return list(model._base_manager.order_by("pk").values_list())


def all_bytes(response: Any) -> bytes:
    """Return all that an answer says: its headers, its cookies and its body; of a stream none of the last."""
    head = repr(sorted(response.headers.items())) + str(response.cookies)
    return head.encode() + (response.content if isinstance(response, HttpResponse) else b"")


def _written() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_WRITTEN)
        return int(cursor.fetchone()[0])


def _files() -> set[str]:
    return {
        f"{folder}/{name}" for folder, folders, files in os.walk(settings.UPLOADS_DIR) for name in (*folders, *files)
    }
