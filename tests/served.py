"""Our own scripts and style sheets, as they are sent."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage


def served() -> dict[str, Path]:
    """Return them by name, each as the file that is sent for it."""
    hashed: dict[str, str] = getattr(staticfiles_storage, "hashed_files", {})
    own = {name: path for name, path in hashed.items() if name.startswith(("css/", "js/"))}
    return {name: Path(settings.STATIC_ROOT) / path for name, path in own.items()}
