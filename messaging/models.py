from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from messaging.reports import Report
from rooms.models import Membership, Review, Room

if TYPE_CHECKING:
    from accounts.models import User


__all__ = ["Attachment", "Mention", "Message", "MessageRevision", "Reaction", "Report"]

LONG_CHARACTERS, LONG_LINES = 1_500, 24
SHOWN_WIDTH = 400
SHOWN_HEIGHT = 300


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

    def after(self, position: int) -> Self:
        return self.filter(position__gt=position)

    def in_rooms_open_to(self, user: User) -> Self:
        """Those that the admin shows to somebody: of public rooms, and of those that they opened for review."""
        reviewed = Q(room__in=Review.objects.open_for(user).values("room"))
        return self.filter(Q(room__kind=Room.Kind.PUBLIC) | reviewed, room__deleted_at=None)


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
    # How many files it was posted with; most have none, and are read without a look at the files' table.
    attachment_count = models.SmallIntegerField(_("files"), default=0, db_default=0)
    edited_at = models.DateTimeField(_("edited"), null=True)
    deleted_at = models.DateTimeField(_("deleted"), null=True)
    # Who pinned it is in the room's log.
    pinned_at = models.DateTimeField(_("pinned"), null=True)

    objects: ClassVar[MessageQuerySet] = MessageQuerySet.as_manager()  # type: ignore[assignment]  # typed as a manager by the stubs

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
                condition=Q(deleted_at__isnull=True) & (~Q(text="") | Q(attachment_count__gt=0))
                | Q(deleted_at__isnull=False, text="", html=""),
            ),
            models.CheckConstraint(
                name="message_pinned_unless_deleted", condition=Q(pinned_at__isnull=True) | Q(deleted_at__isnull=True)
            ),
        )
        # Few rows are in it: a message that is posted is not.
        indexes = (
            models.Index(fields=("room", "pinned_at"), name="message_pinned", condition=Q(pinned_at__isnull=False)),
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
    def is_pinned(self) -> bool:
        return self.pinned_at is not None

    @property
    def is_long(self) -> bool:
        """Whether it is shown folded at first."""
        return len(self.text) > LONG_CHARACTERS or self.text.count("\n") > LONG_LINES

    @property
    def has_files(self) -> bool:
        return self.attachment_count > 0 and not self.is_deleted

    @property
    def pictures(self) -> list[Attachment]:
        return [each for each in self.attachments.all() if each.kind == Attachment.Kind.IMAGE]

    @property
    def other_files(self) -> list[Attachment]:
        return [each for each in self.attachments.all() if each.kind != Attachment.Kind.IMAGE]

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


class AttachmentQuerySet(models.QuerySet["Attachment"]):
    def readable_by(self, user: User) -> Self:
        """Those of messages that the person can read, and their own ones that are not posted yet."""
        posted = Q(message__isnull=False, message__deleted_at=None)
        own = Q(message=None, uploader=user)
        joined = Membership.objects.filter(room=models.OuterRef("room"), user=user).values("joined_position")
        reached = (
            Q(message=None)
            | Q(room__kind=Room.Kind.PUBLIC)
            | Q(room__history=Room.History.FULL)
            | Q(message__position__gt=models.Subquery(joined))
        )
        return self.filter(posted | own, reached, room__in=Room.objects.readable_by(user))

    def unposted(self) -> Self:
        return self.filter(message=None)


class Attachment(models.Model):
    """A file that somebody sent into a room: first by itself, then as a part of one message."""

    class Kind(models.TextChoices):
        IMAGE = "image", _("Image")
        VIDEO = "video", _("Video")
        AUDIO = "audio", _("Sound")
        FILE = "file", _("File")

    # Random, and all that its address says: `project.files.store` keeps the bytes under it.
    key = models.CharField(max_length=32, unique=True)
    room = models.ForeignKey(Room, models.CASCADE, related_name="attachments", verbose_name=_("room"))
    message = models.ForeignKey(
        Message, models.CASCADE, null=True, related_name="attachments", verbose_name=_("message")
    )
    place = models.PositiveSmallIntegerField(default=0)
    uploader = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="attachments", verbose_name=_("person")
    )
    name = models.CharField(_("name"), max_length=150)
    size = models.PositiveBigIntegerField(_("size"))
    sha256 = models.CharField(max_length=64)
    kind = models.CharField(_("kind"), max_length=5, choices=Kind)
    content_type = models.CharField(max_length=50)
    # Of images only.
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    is_animated = models.BooleanField(default=False)
    thumbnail_width = models.PositiveIntegerField(null=True)
    thumbnail_height = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(_("sent"), db_default=Now())

    objects: ClassVar[AttachmentQuerySet] = AttachmentQuerySet.as_manager()  # type: ignore[assignment]  # typed as a manager by the stubs

    class Meta:
        verbose_name = _("file")
        verbose_name_plural = _("files")
        ordering = ("place", "pk")
        constraints = (
            models.CheckConstraint(
                name="attachment_image_has_size",
                condition=Q(kind="image", width__gt=0, height__gt=0) | ~Q(kind="image") & Q(width=None, height=None),
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def url(self) -> str:
        return reverse("messaging:file", args=[self.key])

    @property
    def has_thumbnail(self) -> bool:
        return self.thumbnail_width is not None

    @property
    def thumbnail_url(self) -> str:
        """Where its small picture is: the image itself, if that is small."""
        return reverse("messaging:thumbnail", args=[self.key]) if self.has_thumbnail else self.url

    @property
    def shown_size(self) -> tuple[int, int]:
        """Return the width and height that an image is shown with by itself, in CSS pixels."""
        width, height = self.width or 1, self.height or 1
        scale = min(1.0, SHOWN_WIDTH / width, SHOWN_HEIGHT / height)
        return max(1, round(width * scale)), max(1, round(height * scale))
