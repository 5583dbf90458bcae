from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from django import template
from django.template.loader import render_to_string
from django.utils.formats import date_format
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime
from django.utils.translation import get_language

from accounts.models import User
from messaging import markup
from messaging.models import Message, MessageRevision
from rooms.models import Membership, Role

PEOPLE = MINUTES = 1_000  # drawn and kept

register = template.Library()


@register.filter
def message_html(message: Message | MessageRevision) -> SafeString:
    """Return a message's HTML, unescaped: it came through `messaging.markup`, the one place that makes it safe."""
    return mark_safe(message.html)  # noqa: S308


@register.filter
def message_excerpt(message: Message | None) -> str:
    """Return the beginning of what a message says, without the marks of its Markdown."""
    return markup.excerpt(message.html, markup.EXCERPT_CHARACTERS) if message else ""


@register.filter
def to_the_minute(moment: datetime) -> str:
    """Return a time for whoever has no scripts; rows of one minute share it."""
    return _minute(localtime(moment).replace(second=0, microsecond=0), get_language())


@register.simple_tag
def author_of_message(person: User | None) -> SafeString:
    """Return `_author.html` of a person, or of nobody: a fifth of what a row takes is saved by keeping it."""
    if person is None or person.pk is None:
        return render_to_string("messaging/_author.html", {"person": person})
    return _author(_Shown.of(person))


@register.simple_tag
def row_of_member(member: Membership) -> SafeString:
    """Return `_member.html` of a member: a room's page has a hundred of them."""
    return _member(_Shown.of(member.user), Role(member.role), get_language())


class _Shown(NamedTuple):
    """What is shown of a person: all that makes one drawing differ from another."""

    pk: int
    username: str
    name: str
    avatar_key: str

    @classmethod
    def of(cls, person: User) -> _Shown:
        return cls(person.pk, person.username, person.name, person.avatar_key)

    @property
    def person(self) -> User:
        return User(**self._asdict())


@lru_cache(MINUTES)
def _minute(moment: datetime, _language: str | None) -> str:
    return date_format(moment, "j M, H:i e")


@lru_cache(PEOPLE)
def _author(shown: _Shown) -> SafeString:
    return render_to_string("messaging/_author.html", {"person": shown.person})


@lru_cache(PEOPLE)
def _member(shown: _Shown, role: Role, _language: str | None) -> SafeString:
    return render_to_string(
        "messaging/_member.html", {"person": shown.person, "role": role.value, "role_name": role.label}
    )
