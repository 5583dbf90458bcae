from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from project.cluster import PROGRESS_SECONDS
from tests.project.database_users import User, Users, cluster


@pytest.fixture
def data() -> Iterator[Path]:
    # Not tmp_path: its parents are closed to other accounts, and as root the server has one of its own.
    with tempfile.TemporaryDirectory(prefix="earshot-test-") as directory:
        yield Path(directory) / "data"


@pytest.fixture
def user(data: Path) -> Iterator[Users]:
    """Start a process that has the server running until it is told to leave, and says so often what it waits for."""
    users: list[User] = []

    def start(progress_seconds: float = PROGRESS_SECONDS) -> User:
        users.append(User(data, progress_seconds))
        return users[-1]

    yield start
    for started in users:
        started.process.kill()
        started.process.communicate()
    cluster(data).stop()
