"""Argon2 whose memory is bounded however many people sign in at once."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from django.contrib.auth.hashers import Argon2PasswordHasher

# The few threads in which passwords are hashed. A lock around the hashing would not do: the C library keeps what a
# thread has freed for that thread's next use, so every thread that ever hashed would go on holding its 19 MiB.
_THREADS = ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 1), thread_name_prefix="hashing")


class BoundedArgon2PasswordHasher(Argon2PasswordHasher):
    # Django's own cost (100 MiB, 8 threads) under a thread per request took 2 GB for 30 sign-ins at once.
    # OWASP's Password Storage Cheat Sheet gives 19 MiB, t=2, p=1 as equal in strength to its other settings.
    time_cost = 2
    memory_cost = 19 * 1024  # KiB
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        return str(_THREADS.submit(super().encode, password, salt).result())

    def verify(self, password: str, encoded: str) -> bool:
        return bool(_THREADS.submit(super().verify, password, encoded).result())

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Do nothing: there is one cost, so no older, cheaper hash to make as slow as the new ones."""
