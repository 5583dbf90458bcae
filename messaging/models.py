from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from rooms.models import Room

if TYPE_CHECKING:
    from accounts.models import User


LONG_CHARACTERS, LONG_LINES = 1_500, 24


class Reacted(NamedTuple):
    """An emoji on a message, and who put it there, in their order."""

    emoji: str
    people: list[User]


class MessageQuerySet(models.QuerySet["Message"]):
    def with_people(self) -> Self:
        """Fetch all that showing a message needs."""
        reactions = Reaction.objects.select_related("user").order_by("pk")
        return self.select_related("author", "reply_to__author").prefetch_related(
            models.Prefetch("reactions", reactions, to_attr="found_reactions")
        )

    def before(self, position: int) -> Self:
        return self.filter(position__lt=position)

    def after(self, position: int) -> Self:
        return self.filter(position__gt=position)

    def in_public_rooms(self) -> Self:
        return self.filter(room__kind=Room.Kind.PUBLIC, room__deleted_at=None)


class Message(models.Model):
    # The unique constraints' indexes begin with the room and the author, and so serve the foreign keys.
    room = models.ForeignKey(Room, models.CASCADE, related_name="messages", verbose_name=_("room"), db_index=False)
    # That of the event that created it: it orders the room, pages its history and marks what is read.
    position = models.PositiveBigIntegerField(_("position"))
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="messages",
        verbose_name=_("author"),
        db_index=False,
    )
    # Made by the sender: posting again with the same one returns the same message.
    client_id = models.UUIDField(_("client id"))
    # As typed, and as shown. Both are empty once the message is deleted.
    text = models.TextField(_("text"), blank=True)
    html = models.TextField(blank=True)
    # The version of messaging.markup that made `html`.
    html_version = models.PositiveSmallIntegerField(default=0)
    reply_to = models.ForeignKey("self", models.SET_NULL, null=True, related_name="replies")
    created_at = models.DateTimeField(_("posted"), db_default=Now())
    edited_at = models.DateTimeField(_("edited"), null=True)
    deleted_at = models.DateTimeField(_("deleted"), null=True)

    objects: ClassVar[MessageQuerySet] = MessageQuerySet.as_manager()  # type: ignore[assignment]

    found_reactions: Sequence[Reaction]  # there once it was fetched `with_people`

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ("room", "position")
        constraints = (
            models.UniqueConstraint(fields=("room", "position"), name="message_room_position_unique"),
            models.UniqueConstraint(fields=("author", "client_id"), name="message_author_client_id_unique"),
            models.CheckConstraint(
                name="message_text_unless_deleted",
                condition=Q(deleted_at__isnull=True) & ~Q(text="") | Q(deleted_at__isnull=False, text="", html=""),
            ),
        )

    def __str__(self) -> str:
        return f"{self.room_id}:{self.position}"

    @property
    def reacted(self) -> list[Reacted]:
        """What people put on it, the oldest first; nothing for a message that is new."""
        groups: dict[str, Reacted] = {}
        for reaction in getattr(self, "found_reactions", ()):
            groups.setdefault(reaction.emoji, Reacted(reaction.emoji, [])).people.append(reaction.user)
        return list(groups.values())

    @property
    def is_deleted(self) -> bool:
        return self.deleted_at is not None

    @property
    def is_long(self) -> bool:
        """Whether it is shown folded at first."""
        return len(self.text) > LONG_CHARACTERS or self.text.count("\n") > LONG_LINES

    def is_by(self, user: User) -> bool:
        return self.author_id == user.pk


class Reaction(models.Model):
    """An emoji that somebody put on a message."""

    # The unique constraint's index begins with the message, and so serves the foreign key; below, too.
    message = models.ForeignKey(Message, models.CASCADE, related_name="reactions", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    emoji = models.CharField(max_length=40)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("message", "user", "emoji"), name="reaction_message_user_emoji_unique"),
        )

    def __str__(self) -> str:
        return self.emoji


class Mention(models.Model):
    """Somebody whom a message calls by name, or, without a `user`, everybody in its room."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="mentions", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", null=True)
    # As the message's, so that counting the unread ones of a room reads one index.
    room = models.ForeignKey(Room, models.CASCADE, related_name="+", db_index=False)
    position = models.PositiveBigIntegerField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("message", "user"), name="mention_message_user_unique"),)
        indexes = (models.Index(fields=("room", "user", "position"), name="mention_room_user_position"),)

    def __str__(self) -> str:
        return f"{self.user_id or 'everybody'} in {self.message_id}"


class MessageRevision(models.Model):
    """What a message said before it was edited. Gone with the message's text when that is deleted."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="revisions")
    text = models.TextField()
    html = models.TextField()
    # When it was written, not when it was replaced.
    written_at = models.DateTimeField()

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.message_id} of {self.written_at:%Y-%m-%d %H:%M}"
