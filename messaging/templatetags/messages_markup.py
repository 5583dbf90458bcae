from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from django import template
from django.template.loader import render_to_string
from django.utils.formats import date_format
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime
from django.utils.translation import get_language

from accounts.models import User
from messaging import markup
from messaging.models import Message, MessageRevision
from rooms.member_reading import ShownMember
from rooms.models import Role

PEOPLE = MINUTES = MESSAGES = 1_000  # drawn and kept
KEPT_CHARACTERS = 4_000  # of a message: longer ones are few, and drawn each time

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
def row_of_member(member: ShownMember) -> SafeString:
    """Return `_member.html` of a member: a room's page has a hundred of them."""
    return _member(_Shown.of(member), member.role, get_language())


@register.simple_tag
def content_of_message(message: Message, room_slug: str) -> SafeString:
    """Return `_message_content.html` of a message, kept where nothing of another row or table is shown in it."""
    is_plain = not (message.reply_to_id or message.attachment_count or message.reacted)
    if is_plain and len(message.html) <= KEPT_CHARACTERS:
        return _content(_Said.of(message), room_slug, get_language())
    return render_to_string("messaging/_message_content.html", {"message": message, "room_slug": room_slug})


class _Shown(NamedTuple):
    """What is shown of a person: all that makes one drawing differ from another."""

    pk: int
    username: str
    name: str
    avatar_key: str

    @classmethod
    def of(cls, person: User | ShownMember) -> _Shown:
        return cls(person.pk, person.username, person.name, person.avatar_key)

    @property
    def person(self) -> User:
        return User(**self._asdict())


class _Said(NamedTuple):
    """What is shown of a message without files, reactions or a quote: it is drawn from this and nothing else."""

    pk: int
    position: int
    client_id: UUID
    text: str
    html: str
    created_at: datetime
    edited_at: datetime | None
    deleted_at: datetime | None
    pinned_at: datetime | None
    author: _Shown | None

    @classmethod
    def of(cls, message: Message) -> _Said:
        author = _Shown.of(message.author) if message.author else None
        return cls._make([*(getattr(message, name) for name in cls._fields[:-1]), author])

    @property
    def message(self) -> Message:
        return Message(**self._asdict() | {"author": self.author.person if self.author else None})


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


@lru_cache(MESSAGES)
def _content(said: _Said, room_slug: str, _language: str | None) -> SafeString:
    return render_to_string("messaging/_message_content.html", {"message": said.message, "room_slug": room_slug})
