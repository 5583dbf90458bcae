"""`manage.py sweep`: remove the files that nothing refers to. A running server does it by itself, every hour."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from messaging.sweeping import sweep


class Command(BaseCommand):
    help = "Remove files that were not posted within a day, or whose message was deleted."

    def handle(self, **_options: Any) -> None:
        removed = sweep()
        self.stdout.write(f"Removed {removed} file{'' if removed == 1 else 's'} that nothing refers to.")
