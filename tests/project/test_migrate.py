"""`manage.py migrate` on a site that is being used."""

import os
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from tests.project.processes import SpeakingProcess
from tests.server import ROOT, database_url

INDEX = "newer_message_mood"


@pytest.fixture
def environment(transactional_db: None) -> Iterator[dict[str, str]]:
    """The next version's, on this test's database; afterwards that is the present one's again."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.faults.newer.settings",
        "DATABASE_URL": database_url(connection.settings_dict),
        "SECRET_KEY": settings.SECRET_KEY,
    }
    yield environment
    migrate(environment, "zero")


def migrate(environment: dict[str, str], *arguments: str) -> None:
    command = [sys.executable, "manage.py", "migrate", "newer", *arguments]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=60)


def is_valid() -> bool | None:
    """Return whether the index can be used; None if there is none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [INDEX])
        found = cursor.fetchone()
    return found[0] if found else None


def test_index_that_could_not_be_built_is_dropped_and_built_again(environment: dict[str, str]) -> None:
    migrate(environment, "0001")
    with psycopg.connect(environment["DATABASE_URL"]) as writing:
        writing.execute("LOCK TABLE messaging_message IN ROW EXCLUSIVE MODE")
        migrating = SpeakingProcess(
            "sh", "-c", f"exec {sys.executable} manage.py migrate newer 2>&1", environment=environment
        )
        migrating.wait_until("A table is in use")
        writing.rollback()
    assert migrating.leave() == (0, "")
    assert is_valid() is True
