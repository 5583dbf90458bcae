"""Imported before Django's settings are: the benchmarks keep to a data directory of their own."""

import os
from pathlib import Path

VAR = Path(__file__).resolve().parents[2] / "var"
OURS = "earshot benchmark"  # names the conductor's database connections, so that the server's can be told apart

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.settings"
os.environ["EARSHOT_DATA"] = str(VAR / "bench")
os.environ["PGAPPNAME"] = OURS
for variable in ("SITE_URL", "ALLOWED_HOSTS", "DEBUG", "EMAIL_HOST", "SIGNUP", "TRUSTED_PROXIES", "LOG_LEVEL"):
    os.environ.pop(variable, None)
if os.environ.get("DATABASE_URL"):
    os.environ.setdefault("SECRET_KEY", "for-the-benchmarks-only-4Tn8cV1xQ6mR9zB3kW7pL2sY5hD0")
