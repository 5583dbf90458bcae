"""The files of messages, read and told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import prefetch_related_objects

from messaging.models import Attachment, Message


def fetch_for(messages: Iterable[Message]) -> None:
    """Fetch the files of all these messages at once; with no files among them nothing is asked."""
    prefetch_related_objects([message for message in messages if message.has_files], "attachments")


def attached_to(message: Message) -> Sequence[Attachment]:
    """Return a message's files in their order, none once it is deleted."""
    return list(message.attachments.all()) if message.has_files else []


def attachment_data(attachment: Attachment) -> dict[str, Any]:
    """Return a file as the wire shows it. `id` is what a message is posted with."""
    thumbnail = None
    if attachment.has_thumbnail:
        thumbnail = {
            "url": attachment.thumbnail_url,
            "width": attachment.thumbnail_width,
            "height": attachment.thumbnail_height,
        }
    return {
        "id": attachment.key,
        "name": attachment.name,
        "size": attachment.size,
        "kind": attachment.kind,
        "content_type": attachment.content_type,
        "width": attachment.width,
        "height": attachment.height,
        "animated": attachment.is_animated,
        "url": attachment.url,
        "thumbnail": thumbnail,
    }
