#!/usr/bin/env python
"""Django's commands, with the embedded PostgreSQL running around those that use a database."""

import os
import sys
from contextlib import AbstractContextManager, nullcontext

from django.core.management import execute_from_command_line

from project import embedded
from project.database import at_hand
from project.env import ConfigurationError

WITHOUT_DATABASE = (
    "check",
    "collectstatic",
    "compilemessages",
    "diffsettings",
    "findstatic",
    "help",
    "makemessages",
    "serve",  # starts it by itself, once it has its port
    "version",
)


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    try:
        with database(sys.argv[1:]):
            execute_from_command_line(sys.argv)
    except (ConfigurationError, embedded.EmbeddedPostgresError) as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def database(arguments: list[str]) -> AbstractContextManager[None]:
    asks_for_help = not arguments or arguments[0].startswith("-") or {"-h", "--help"} & set(arguments)
    if asks_for_help or arguments[0] in WITHOUT_DATABASE:
        return nullcontext()
    return at_hand(say)


def say(line: str) -> None:
    """Progress goes to stderr: stdout belongs to the command."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
