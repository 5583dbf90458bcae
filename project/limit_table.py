"""The setting LIMITS: every limit by its name."""

from __future__ import annotations

from typing import Any

# How often: a bucket of `burst`, into which one comes back every `seconds`. While it can't be counted, what it guards
# is refused (`closed`) or let through (`open`). The buckets are in the database that the messages are in, so posting
# can't go on without them.
LIMITS: dict[str, Any] = {
    "post": {"burst": 10, "seconds": 1.0, "fails": "closed"},  # of one person
    "post_new": {"burst": 3, "seconds": 1.0, "fails": "closed"},  # in the first hour of their account
    "post_room": {"burst": 50, "seconds": 0.05, "fails": "closed"},  # of all in one room
    # In each process's memory, of one person or, signed out, one address: 300 a minute.
    "requests": {"burst": 300, "seconds": 0.2, "fails": "open"},
    "files": {"burst": 3000, "seconds": 0.02, "fails": "open"},  # the pictures of pages, counted in the same way
    "anonymous_writes": {"burst": 20, "seconds": 3.0, "fails": "closed"},  # of one address
    "edit": {"burst": 20, "seconds": 3.0, "fails": "closed"},  # by one person, of all their messages together
    "pin": {"burst": 20, "seconds": 3.0, "fails": "closed"},  # by one person, taking down included
    "report": {"burst": 10, "seconds": 60.0, "fails": "closed"},  # of one person to moderators
    "post_same": {"burst": 2, "seconds": 30.0, "fails": "closed"},  # the same text by the same person
}
