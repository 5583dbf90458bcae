from __future__ import annotations

from functools import lru_cache

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from accounts.models import User
from messaging import markup
from messaging.models import Message, MessageRevision

AUTHORS = 1_000  # drawn and kept; most of what is said is said by a few

register = template.Library()


@register.filter
def message_html(message: Message | MessageRevision) -> SafeString:
    """Return a message's HTML, unescaped: it came through `messaging.markup`, the one place that makes it safe."""
    return mark_safe(message.html)  # noqa: S308


@register.filter
def message_excerpt(message: Message | None) -> str:
    """Return the beginning of what a message says, without the marks of its Markdown."""
    return markup.excerpt(message.html, markup.EXCERPT_CHARACTERS) if message else ""


@register.simple_tag
def author_of_message(person: User | None) -> SafeString:
    """Return `_author.html` of a person, or of nobody: a fifth of what a row takes is saved by keeping it."""
    if person is None or person.pk is None:
        return render_to_string("messaging/_author.html", {"person": person})
    return _drawn(person.pk, person.username, person.name, person.avatar_key)


@lru_cache(AUTHORS)
def _drawn(pk: int, username: str, name: str, avatar_key: str) -> SafeString:
    person = User(pk=pk, username=username, name=name, avatar_key=avatar_key)
    return render_to_string("messaging/_author.html", {"person": person})
