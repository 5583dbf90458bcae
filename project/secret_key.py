"""The secret key of an installation that was not given one: made once, kept in the data directory."""

from __future__ import annotations

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from project.env import ConfigurationError


def kept_in(data: Path) -> str:
    """Return the key kept under `data`, making it on the first call; two first calls agree on one key."""
    path = data / "secret_key"
    try:
        data.mkdir(parents=True, exist_ok=True)
        _write_once(path)
        key = path.read_text().strip()
    except OSError as error:
        raise ConfigurationError(f"The secret key can't be kept in {path}: {error.strerror}.") from error
    if len(key) < 50:
        raise ConfigurationError(f"{path} is damaged: delete it and start again (everyone will have to sign in anew).")
    return key


def _write_once(path: Path) -> None:
    # Linked into place when complete: a second process never reads half a key.
    if path.exists():
        return
    # Under a name of its own: what a process left that was killed here is in nobody's way.
    descriptor, name = tempfile.mkstemp(prefix=".secret_key.", dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(64))
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
