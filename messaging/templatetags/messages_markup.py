from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from uuid import uuid4

from django import template
from django.template.loader import render_to_string
from django.utils.formats import date_format
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime
from django.utils.translation import get_language

from accounts.models import User
from messaging import markup
from messaging.models import LONG_LINES, Message, MessageRevision
from rooms.member_reading import ShownMember
from rooms.models import Role

PEOPLE = MINUTES = ROOMS = 1_000  # drawn and kept

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
    """Return `_message_content.html` of a message: of a plain one, as most are, by filling in one drawn before."""
    if _is_plain(message):
        author = _Shown.of(message.author) if message.author else None
        return _filled(_row(author, message.is_long, get_language()), _values(message))
    return render_to_string("messaging/_message_content.html", {"message": message, "room_slug": room_slug})


@register.simple_tag
def links_of_message(
    message: Message, viewer: User, room_slug: str, moderates: bool, may_pin: bool, csrf_token: str
) -> SafeString:
    """Return `_message_links.html` of a message, filling in one drawn before."""
    may = _May(message.author_id == viewer.pk, bool(moderates), bool(may_pin), message.is_pinned)
    filled = str(message.pk), str(csrf_token)
    return _filled(_links(room_slug, may, get_language()), filled)


class _May(NamedTuple):
    """What somebody may do with a message."""

    is_mine: bool
    moderates: bool
    may_pin: bool
    is_pinned: bool


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


def _is_plain(message: Message) -> bool:
    is_as_posted = not (message.edited_at or message.deleted_at or message.pinned_at)
    return is_as_posted and not (message.reply_to_id or message.attachment_count or message.reacted)


def _values(message: Message) -> tuple[str, ...]:
    """Return what a plain message shows that another one by the same person does not, as its row has it."""
    moment = message.created_at.isoformat()
    return (
        f'{moment}">{to_the_minute(message.created_at)}',
        moment,
        str(message.client_id),
        str(message.position),
        str(message.pk),
        message.html,
    )


def _nobodys(author: _Shown | None, *, is_long: bool) -> Message:
    """Return a plain message whose values occur nowhere else: not even a person's name could have guessed them."""
    return Message(
        pk=secrets.randbits(62),
        position=secrets.randbits(62),
        client_id=uuid4(),
        text="\n" * (LONG_LINES + 1) if is_long else "",
        html=secrets.token_hex(),
        author=author.person if author else None,
        created_at=datetime.fromtimestamp(secrets.randbits(30), UTC) + timedelta(microseconds=secrets.randbits(19)),
    )


@lru_cache(PEOPLE)
def _row(author: _Shown | None, is_long: bool, _language: str | None) -> list[str | int]:
    """Return a plain message's row in parts: markup, and between it the indexes of what `_values` returns."""
    message = _nobodys(author, is_long=is_long)
    values = _values(message)
    parts = _parted(render_to_string("messaging/_message_content.html", {"message": message}), values)
    if not set(range(len(values))) <= set(parts):
        raise ValueError("a row does not show all that a message is")
    return parts


@lru_cache(ROOMS)
def _links(room_slug: str, may: _May, _language: str | None) -> list[str | int]:
    """Return a message's links in parts, with 0 for its id and 1 for the token of the forms."""
    values = str(secrets.randbits(62)), secrets.token_hex()
    context = {**may._asdict(), "room_slug": room_slug, "pk": values[0], "csrf_token": values[1]}
    return _parted(render_to_string("messaging/_message_links.html", context), values)


def _parted(drawn: str, values: tuple[str, ...]) -> list[str | int]:
    """Return markup in parts, with a value's index wherever that one stands in it."""
    parts = re.split(f"({'|'.join(map(re.escape, values))})", drawn)
    return [values.index(part) if part in values else part for part in parts]


def _filled(parts: list[str | int], values: tuple[str, ...]) -> SafeString:
    return mark_safe("".join(values[part] if isinstance(part, int) else part for part in parts))  # noqa: S308
