from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from project.cluster import PROGRESS_SECONDS
from project.embedded import running
from tests.conftest import once_a_run
from tests.project.database_users import User, Users, cluster


@pytest.fixture
def data() -> Iterator[Path]:
    # Not tmp_path: its parents are closed to other accounts, and as root the server has one of its own.
    with tempfile.TemporaryDirectory(prefix="earshot-test-") as directory:
        yield Path(directory) / "data"


@pytest.fixture
def made_before(data: Path) -> None:
    """Have the data directory be one in which the server has run before: making it takes most of the time of a test."""
    kept = settings.DATA_DIR / "made"
    once_a_run("made", lambda: make(data, kept))
    subprocess.run(["cp", "-a", kept, data], check=True)  # the server's files belong to another account


def make(data: Path, kept: Path) -> None:
    with running(data, lambda _line: None):
        pass
    cluster(data).log.unlink()
    shutil.rmtree(kept, ignore_errors=True)
    shutil.move(data, kept)


@pytest.fixture
def user(data: Path, made_before: None) -> Iterator[Users]:
    """Start a process that has the server running until it is told to leave, and says so often what it waits for."""
    yield from started_by_hand(data)


@pytest.fixture
def first_user(data: Path) -> Iterator[Users]:
    """The same in an empty directory."""
    yield from started_by_hand(data)


def started_by_hand(data: Path) -> Iterator[Users]:
    users: list[User] = []

    def start(progress_seconds: float = PROGRESS_SECONDS) -> User:
        users.append(User(data, progress_seconds))
        return users[-1]

    yield start
    for started in users:
        started.process.kill()
        started.process.communicate()
    cluster(data).stop()
