"""`manage.py verify`: check that the logs of a live database are whole."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from tqdm import tqdm

from messaging.models import Message
from messaging.verify import CHECKS, EXAMPLES, FILE_CHECKS, LOG_CHECKS, Check, Finding, Scope
from project.database import unhurried
from rooms.models import Event, Room


class Command(BaseCommand):
    help = "Check that rooms' logs are whole; it only reads. The exit status is 1 when anything is wrong."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("rooms", nargs="*", metavar="room", help="a room's address, as in /rooms/<room>/ (all)")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *, rooms: list[str], json: bool, **_options: Any) -> None:
        began = time.monotonic()
        with snapshot():
            scope = chosen(rooms)
            found = list(self.findings(scope, LOG_CHECKS))
            counts = {
                "rooms": scope.count(),
                "messages": Message.objects.filter(room__in=scope).count(),
                "events": Event.objects.filter(room__in=scope).count(),
            }
        with unhurried():
            found += self.findings(scope, FILE_CHECKS)
        report = {
            "ok": not found,
            **counts,
            "checks": [check.kind for check in CHECKS],
            "seconds": round(time.monotonic() - began, 3),
            "findings": [asdict(finding) for finding in found],
        }
        self.print_json(report) if json else self.print_text(report, found)
        if found:
            raise SystemExit(1)

    def findings(self, scope: Scope, checks: Sequence[Check]) -> Iterator[Finding]:
        # On stderr, and only when that is a terminal.
        for check in tqdm(checks, desc="Verifying", unit="check", leave=False, disable=None):
            yield from check.findings(scope)

    def print_json(self, report: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(report))

    def print_text(self, report: dict[str, Any], found: list[Finding]) -> None:
        for finding in found:
            where = finding.room if finding.position is None else f"{finding.room}:{finding.position}"
            self.stdout.write(f"{finding.kind}  {where}  {finding.says}")
        whole = "rooms: {rooms}, events: {events}, messages: {messages}, seconds: {seconds}".format(**report)
        if found:
            self.stdout.write(f"Faults: {len(found)}, of each kind at most {EXAMPLES} ({whole}).")
        else:
            self.stdout.write(f"Everything is in order ({whole}).")


@contextmanager
def snapshot() -> Iterator[None]:
    """One state of the database for all checks of logs, however long they take and whatever is written meanwhile."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SET LOCAL statement_timeout = 0")
        yield


def chosen(slugs: list[str]) -> Scope:
    """Return the rooms with these addresses, or all rooms."""
    if not slugs:
        return Room.with_deleted.all()
    rooms = Room.with_deleted.filter(slug__in=slugs)
    missing = sorted(set(slugs) - set(rooms.values_list("slug", flat=True)))
    if missing:
        raise CommandError(f"There is no room {', '.join(missing)}.", returncode=2)
    return rooms
