"""The settings of the next version."""

from __future__ import annotations

import os

from project import settings as present
from project.settings import *  # noqa: F403

INSTALLED_APPS = [*present.INSTALLED_APPS, "tests.faults.newer"]

# For the control: a migration that waits for its lock for as long as it takes.
if os.environ.get("EARSHOT_FAULTS_WITHOUT") == "lock_timeout":
    present.DATABASES["default"]["OPTIONS"]["options"] += " -c lock_timeout=0"
