from __future__ import annotations

from django import template
from django.utils.safestring import SafeString, mark_safe

from messaging import markup
from messaging.models import Message, MessageRevision

register = template.Library()


@register.filter
def message_html(message: Message | MessageRevision) -> SafeString:
    """Return a message's HTML, unescaped: it came through `messaging.markup`, the one place that makes it safe."""
    return mark_safe(message.html)  # noqa: S308


@register.filter
def message_excerpt(message: Message | None) -> str:
    """Return the beginning of what a message says, without the marks of its Markdown."""
    return markup.excerpt(message.html, markup.EXCERPT_CHARACTERS) if message else ""
