from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import override_settings

from tests.trust.world import World, built


@pytest.fixture(autouse=True)
def mail_folder() -> None:
    """No folder for the mail of each of thousands of tests: none of them writes any to a file."""


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One world for all cells: each takes back what it did."""
    folder = tmp_path_factory.mktemp("uploads")
    with django_db_blocker.unblock(), override_settings(UPLOADS_DIR=folder), built() as world:
        yield world
