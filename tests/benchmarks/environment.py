"""The environment of a process that measures: a data directory and settings of its own."""

import os
from pathlib import Path

import django

VAR = Path(__file__).resolve().parents[2] / "var"
OURS = "earshot benchmark"  # names the database connections of those who measure, to tell them from the server's


def set_up() -> None:
    """Begin Django; nothing that has models may be imported before."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.settings"
    os.environ["EARSHOT_DATA"] = str(VAR / "bench")
    os.environ["PGAPPNAME"] = OURS
    os.environ["LIMITS_FACTOR"] = "1000000"  # counted as ever, and never reached
    for variable in ("SITE_URL", "ALLOWED_HOSTS", "DEBUG", "EMAIL_HOST", "SIGNUP", "TRUSTED_PROXIES", "LOG_LEVEL"):
        os.environ.pop(variable, None)
    if os.environ.get("DATABASE_URL"):
        os.environ.setdefault("SECRET_KEY", "for-the-benchmarks-only-4Tn8cV1xQ6mR9zB3kW7pL2sY5hD0")
    django.setup()
