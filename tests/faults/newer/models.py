"""The present models, changed the way a migration may change them under an older version that still runs."""

from __future__ import annotations

from django.db import models

from messaging import posting
from messaging.models import Message

MOOD = "calm"

# Read with every message that the ORM fetches, written with every message that is posted.
Message.add_to_class("mood", models.TextField(null=True))
for of_now, of_then in (
    ("attachment_count)", "attachment_count, mood)"),
    ("smallint\n    FROM", f"smallint, '{MOOD}'\n    FROM"),
):
    if of_now not in posting._POST:
        raise AssertionError(f"the statement that posts says {of_now!r} no longer: have it write a mood in another way")
    posting._POST = posting._POST.replace(of_now, of_then)
