"""Rows that are filled into one drawn before are the rows that the template draws."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest
from django.template.loader import render_to_string
from django.utils import timezone, translation

from accounts.models import User
from messaging.events import message_row
from messaging.models import LONG_CHARACTERS, Message
from messaging.templatetags.messages_markup import links_of_message
from rooms.models import Room
from tests.factories import MessageFactory, UserFactory

pytestmark = pytest.mark.django_db


def _drawn(message: Message) -> str:
    return render_to_string("messaging/_message_content.html", {"message": message, "room_slug": message.room.slug})


@pytest.mark.parametrize("language", ["en", "de", "ar"])
@pytest.mark.parametrize(
    "text",
    ["Good morning", r"\g<0> \1 {0} %s $& (", "<b>&amp;</b> **bold**", "long " * LONG_CHARACTERS],
    ids=["plain", "patterns", "markup", "long"],
)
def test_plain_row_is_what_the_template_draws(room: Room, text: str, language: str) -> None:
    author = UserFactory.create(name=r"\1 <i>O’Hara</i> {0}")
    message = MessageFactory.create(room=room, author=author, text=text)
    with translation.override(language):
        assert message_row(message, room.slug).startswith(_drawn(message).strip())
        message.created_at -= timedelta(days=40, minutes=7)
        assert message_row(message, room.slug).startswith(_drawn(message).strip())
        message.author = None
        assert message_row(message, room.slug).startswith(_drawn(message).strip())


def test_row_that_is_not_plain_shows_what_it_is(room: Room, owner: User) -> None:
    message = MessageFactory.create(room=room, author=owner, text="Good morning")
    plain = message_row(message, room.slug)
    message.edited_at = message.pinned_at = timezone.now()
    shown = message_row(message, room.slug)
    assert "message__edited" in shown
    assert "message--pinned" in shown
    message.edited_at = message.pinned_at = None
    assert message_row(message, room.slug) == plain


@pytest.mark.parametrize("language", ["en", "de", "ar"])
@pytest.mark.parametrize("may", list(product([False, True], repeat=4)), ids=str)
def test_links_are_what_the_template_draws(room: Room, owner: User, may: tuple[bool, ...], language: str) -> None:
    is_mine, moderates, may_pin, is_pinned = may
    message = MessageFactory.create(room=room, author=owner)
    message.pinned_at = timezone.now() if is_pinned else None
    viewer = owner if is_mine else UserFactory.create()
    of_template = {
        "is_mine": is_mine,
        "moderates": moderates,
        "may_pin": may_pin,
        "is_pinned": is_pinned,
        "pk": message.pk,
        "room_slug": room.slug,
        "csrf_token": "a-token",
    }
    with translation.override(language):
        drawn = render_to_string("messaging/_message_links.html", of_template)
        assert links_of_message(message, viewer, room.slug, moderates, may_pin, "a-token") == drawn
    assert str(message.pk) in drawn
    assert ("a-token" in drawn) is (is_mine or moderates or may_pin)


def test_person_who_is_renamed_is_shown_by_the_new_name(room: Room, owner: User) -> None:
    message = MessageFactory.create(room=room, author=owner)
    before = message_row(message, room.slug)
    owner.name = "Somebody Else"
    assert "Somebody Else" not in before
    assert "Somebody Else" in message_row(message, room.slug)
