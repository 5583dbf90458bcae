"""Loaded before Django's settings are (`-p tests.environment`): the tests keep to a data directory of their own."""

import gc
import os
from pathlib import Path

gc.disable()  # until all tests are collected (tests/conftest.py): little of what is loaded is ever garbage

VAR = Path(__file__).resolve().parent.parent / "var" / "test"

# Two runs at once each need a directory, and so a PostgreSQL, of their own.
os.environ["LIMITS_FACTOR"] = "1000000"  # tests of the limits themselves set their own
os.environ["EARSHOT_DATA"] = os.environ.get("EARSHOT_TEST_DATA") or str(VAR)
for variable in (
    "SITE_URL",
    "ALLOWED_HOSTS",
    "DEBUG",
    "EMAIL_HOST",
    "SIGNUP",
    "TRUSTED_PROXIES",
    "LOG_LEVEL",
    "UPLOADS",
):
    os.environ.pop(variable, None)
if os.environ.get("DATABASE_URL"):
    os.environ.setdefault("SECRET_KEY", "for-the-tests-only-7Hq2vZ9xW4nB6tR8yK1mP5sD3fG0jL")
