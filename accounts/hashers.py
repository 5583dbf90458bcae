"""Argon2 whose memory is bounded however many people sign in at once."""

from __future__ import annotations

import os
import threading

from django.contrib.auth.hashers import Argon2PasswordHasher

# Django's own cost (100 MiB, 8 threads) under a thread per request took 2 GB for 30 sign-ins at once.
# OWASP's Password Storage Cheat Sheet gives 19 MiB, t=2, p=1 as equal in strength to its other settings.
_AT_ONCE = threading.BoundedSemaphore(2 * (os.cpu_count() or 1))


class BoundedArgon2PasswordHasher(Argon2PasswordHasher):
    time_cost = 2
    memory_cost = 19 * 1024  # KiB
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        with _AT_ONCE:
            return str(super().encode(password, salt))

    def verify(self, password: str, encoded: str) -> bool:
        with _AT_ONCE:
            return bool(super().verify(password, encoded))

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Do nothing: there is one cost, so no older, cheaper hash to make as slow as the new ones."""
