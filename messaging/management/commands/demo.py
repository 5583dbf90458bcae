"""`manage.py demo`: people, rooms and weeks of messages to look at."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from messaging.demo.filling import Filled, FilledError, fill, refuse_filled
from project.management.commands.serve import pending_migrations

MESSAGES = 4_000
MESSAGES_MIN, MESSAGES_MAX = 50, 20_000


class Command(BaseCommand):
    help = "Fill the site with believable people, rooms and messages. Done twice it changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--messages", type=int, default=MESSAGES, help=f"about how many messages ({MESSAGES})")
        parser.add_argument("--seed", type=int, default=1, help="another number makes another history (1)")

    def handle(self, *, messages: int, seed: int, verbosity: int, **_options: Any) -> None:
        if not MESSAGES_MIN <= messages <= MESSAGES_MAX:
            raise CommandError(f"--messages must be a number from {MESSAGES_MIN} to {MESSAGES_MAX}.")
        if pending_migrations():
            self.migrate()
        try:
            refuse_filled()
            filled = self.fill(messages, seed, is_quiet=verbosity == 0)
        except FilledError as reason:
            self.stdout.write(str(reason))
        else:
            self.report(filled)

    def migrate(self) -> None:
        self.stderr.write("Preparing the database …", style_func=str)
        call_command("migrate", interactive=False, verbosity=0)

    def fill(self, messages: int, seed: int, *, is_quiet: bool) -> Filled:
        with tqdm(unit=" messages", desc="Seven weeks of talk", disable=is_quiet, file=sys.stderr) as bar:
            return fill(messages=messages, seed=seed, now=timezone.now(), begin=bar.reset, advance=bar.update)

    def report(self, filled: Filled) -> None:
        one, two = filled.usernames[0], filled.usernames[7]
        self.stdout.write(f"{filled.people} people have said {filled.messages:,} things in {filled.rooms} rooms.")
        self.stdout.write(f"Sign in as any of them, for example {one} or {two}, with the password {filled.password}")
        self.stdout.write("It is shown only now.")
