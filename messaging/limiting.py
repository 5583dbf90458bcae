"""Which limits a message is counted against, in the statement that posts it (messaging.posting)."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from project.limits import TooOftenError, Wanted, wanted
from rooms.filters import found_in
from rooms.models import Room, WordFilter


def of_post(room: Room, author: User, text: str) -> list[Wanted]:
    asked = [wanted("post_new" if _is_new(author) else "post", author.pk), wanted("post_room", room.pk)]
    if text:
        # Of the text only this is kept, and only until it may be said again.
        asked.append(wanted("post_same", f"{author.pk}:{hashlib.sha256(text.encode()).hexdigest()[:32]}"))
    return asked


def of_slow_mode(room: Room, author: User) -> list[Wanted]:
    """Return what the statement itself asks for in a room with slow mode, to tell how long is to be waited."""
    seconds = float(room.slow_seconds)
    return [Wanted(f"slow:{room.pk}:{author.pk}", seconds, seconds)] if seconds else []


def refuse_words(room: Room, text: str) -> None:
    """Raise `ValidationError` for a text with something that the room, or the site, does not let through."""
    words = room.filtered_words
    if words is None:
        lists = WordFilter.objects.filter(Q(room=room) | Q(room=None)).values_list("words", flat=True)
        words = "\n".join(lists)
    if words and (found := found_in(text, words)):
        raise ValidationError(_("This room does not let “%(word)s” through.") % {"word": found}, code="filtered")


def refuse_links(html: str, author: User) -> None:
    """Raise `ValidationError` for more links than an account in its first hour may send at once."""
    limit = settings.NEW_ACCOUNT_LINKS * settings.LIMITS_FACTOR
    if html.count('href="http') > limit and _is_new(author):
        text = ngettext(
            "In the first hour of your account a message can have %(limit)d link.",
            "In the first hour of your account a message can have %(limit)d links.",
            limit,
        )
        raise ValidationError(text % {"limit": limit}, code="links")


def too_often_sentence(error: TooOftenError) -> str:
    sentences = {
        "post_same": _("You said just that a moment ago."),
        "post_room": _("Many people are writing in this room. Wait a moment."),
        "slow": _("This room is in slow mode. Wait a while between two messages."),
    }
    return sentences.get(error.name) or _("That was too often. Wait a moment and try again.")


def _is_new(author: User) -> bool:
    age = timezone.now() - author.date_joined
    return age < timedelta(seconds=settings.NEW_ACCOUNT_SECONDS) and not author.is_superuser
