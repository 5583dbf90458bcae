"""Faults of parts that are not there yet."""

from __future__ import annotations

from tests.faults.stage import Waiting

FAULTS = [
    Waiting("FI-21", "a backup during load, and its restore", "waits for backup and restore"),
]
