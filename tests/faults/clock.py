"""Clocks that can be set, by libfaketime: a library that stands between a process and what tells it the time."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

INSTALLED = ("/usr/lib", "/usr/local/lib", "/usr/lib64")
QUESTION = "import time; print(time.time())"


@dataclass(frozen=True)
class Clock:
    """The clock of the processes that are started in its environment."""

    library: Path
    offset: Path

    def set(self, seconds: int) -> None:
        """Have it show so many seconds more than the true time, or fewer; seen within a second."""
        draft = self.offset.with_suffix(".new")
        draft.write_text(f"{seconds:+d}\n")
        draft.chmod(0o644)
        draft.replace(self.offset)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(self.library),
            "FAKETIME_TIMESTAMP_FILE": str(self.offset),
            "FAKETIME_CACHE_DURATION": "0",
            # Pauses and time-outs count by the clock that no administrator can set.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }


def clock_in(directory: Path) -> Clock | None:
    """Return a clock whose files are in a directory, right for now; None where there is no such library."""
    found = library()
    if found is None:
        return None
    directory.mkdir(exist_ok=True)
    directory.chmod(0o755)
    clock = Clock(directory / found.name, directory / "offset")
    shutil.copy(found, clock.library)  # where every account can read it
    clock.library.chmod(0o755)
    clock.set(0)
    return clock


@cache
def library() -> Path | None:
    """Return the library, if this machine has one that works."""
    return next((path for path in _candidates() if _works(path)), None)


def _candidates() -> list[Path]:
    spec = find_spec("libfaketime")
    bundled = [Path(place) for place in (spec.submodule_search_locations or [])] if spec else []
    return [path for place in [*bundled, *map(Path, INSTALLED)] for path in place.rglob("libfaketime.so.1")]


def _works(path: Path) -> bool:
    environment = {**os.environ, "LD_PRELOAD": str(path), "FAKETIME": "-1000d"}
    try:
        told = subprocess.run(
            [sys.executable, "-c", QUESTION], env=environment, capture_output=True, text=True, check=True
        )
        real = subprocess.run([sys.executable, "-c", QUESTION], capture_output=True, text=True, check=True)
        return float(told.stdout) < float(real.stdout) - 86_400
    except (OSError, ValueError, subprocess.CalledProcessError):
        return False
