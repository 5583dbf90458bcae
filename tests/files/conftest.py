from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def uploads(settings: Any, tmp_path: Path) -> Path:
    """The folder of uploads of this test's own process; a server process has another one."""
    settings.UPLOADS_DIR = tmp_path / "uploads"
    return tmp_path / "uploads"
