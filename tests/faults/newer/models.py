"""The present models, changed the way a migration may change them under an older version that still runs."""

from __future__ import annotations

from django.db import models

from messaging import posting
from messaging.models import Message

MOOD = "calm"

# Read with every message that the ORM fetches, written with every message that is posted.
Message.add_to_class("mood", models.TextField(null=True))
posting._POST = posting._POST.replace("html_version, reply_to_id)", "html_version, reply_to_id, mood)").replace(
    "%(reply_to)s FROM moved", f"%(reply_to)s, '{MOOD}' FROM moved"
)
