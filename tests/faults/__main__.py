"""`python -m tests.faults`, or `make faults`: break Earshot on purpose, and count what is lost."""

import os
import sys
from pathlib import Path

# Before Django's settings are read: the faults have a site of their own, with the PostgreSQL that Earshot brings along.
VAR = Path(__file__).resolve().parents[2] / "var" / "faults"
os.environ["EARSHOT_DATA"] = os.environ.get("EARSHOT_FAULTS_DATA", str(VAR))
os.environ["LIMITS_FACTOR"] = "1000000"  # counted as ever, and never reached
for variable in ("DATABASE_URL", "SITE_URL", "ALLOWED_HOSTS", "DEBUG", "EMAIL_HOST", "SIGNUP", "TRUSTED_PROXIES"):
    os.environ.pop(variable, None)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

import django  # noqa: E402

django.setup()

from tests.faults.runner import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
