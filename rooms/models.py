from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, Self, TypeAlias

from django.conf import settings
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import Now
from django.db.models.lookups import IsNull
from django.utils.translation import gettext_lazy as _

from rooms.channels import CHANNEL_MAX, CHANNEL_PATTERN
from rooms.epoch import Epoch, OwnerLink
from rooms.filters import WordFilter
from rooms.kinds import EventKind
from rooms.restrictions import Ban, Mute, Raid, Review, barring
from rooms.roles import RANKS, Role, rank_field

if TYPE_CHECKING:
    from accounts.models import User

__all__ = [
    "Ban",
    "DeletedRoom",
    "Epoch",
    "Event",
    "Membership",
    "Mute",
    "OwnerLink",
    "Raid",
    "Review",
    "Role",
    "Room",
    "WordFilter",
    "has_unread",
]

SLUG_MAX = 60


class RoomQuerySet(models.QuerySet["Room"]):
    def visible_to(self, user: User) -> Self:
        """The rooms a person may know of: public ones, and any they are a member of. Guests know of the latter only."""
        mine = Q(pk__in=Membership.objects.filter(user=user).values("room"))
        return self.filter(mine if user.is_guest else Q(kind=Room.Kind.PUBLIC) | mine)

    def readable_by(self, user: User) -> Self:
        """Those that a person may also look into: a ban closes a room to them, which they know of all the same."""
        return self.visible_to(user).exclude(barring(user))

    def of(self, user: User) -> Self:
        return self.filter(memberships__user=user)

    def current(self) -> Self:
        return self.filter(archived_at=None)

    def restorable(self) -> Self:
        """The deleted rooms that can still be brought back."""
        return self.filter(deleted_at__gt=Now() - timedelta(days=settings.DELETED_ROOM_DAYS))

    def with_members(self) -> Self:
        """Annotate `member_count`."""
        counts = (
            Membership.objects.filter(room=OuterRef("pk"))
            .order_by()
            .values("room")
            .annotate(number=models.Count("pk"))
            .values("number")
        )
        return self.annotate(member_count=models.functions.Coalesce(Subquery(counts), 0))


class _Undeleted(models.Manager["Room"]):
    def get_queryset(self) -> RoomQuerySet:
        return RoomQuerySet(self.model, using=self._db).filter(deleted_at=None)


class Room(models.Model):
    """A place to talk, and a numbered log of all that happened in it."""

    class Kind(models.TextChoices):
        PUBLIC = "public", _("Public")
        PRIVATE = "private", _("Private")

    class History(models.TextChoices):
        FULL = "full", _("All of it")
        JOINED = "joined", _("What was said since they joined")

    name = models.CharField(_("name"), max_length=settings.ROOM_NAME_MAX)
    slug = models.SlugField(_("address"), max_length=SLUG_MAX, unique=True)
    topic = models.CharField(_("topic"), max_length=settings.ROOM_TOPIC_MAX, blank=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.PUBLIC)
    channel_name = models.CharField(_("channel"), max_length=CHANNEL_MAX, unique=True, editable=False)
    # The position of the newest event. Moved only under this row's lock (rooms.log.append).
    last_position = models.PositiveBigIntegerField(_("last position"), default=0, editable=False)
    # Who may do what in it: the lowest of the roles that may.
    who_posts = rank_field(_("who may write"), Role.MEMBER)
    who_invites = rank_field(_("who may add people"), Role.MODERATOR)
    who_calls_all = rank_field(_("who may call everybody"), Role.MODERATOR)
    who_pins = rank_field(_("who may pin messages"), Role.MODERATOR)
    # Between two messages of one member; 0 is none.
    slow_seconds = models.PositiveSmallIntegerField(_("slow mode"), default=0, db_default=0)
    # Of a private room. A public one's can be read by everybody.
    history = models.CharField(
        _("what new members can read"), max_length=10, choices=History, default=History.FULL, db_default=History.FULL
    )
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True, editable=False)
    # Its rows stay, and its address stays taken; to everybody it is as if it had never been.
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True, editable=False)

    objects: ClassVar[RoomQuerySet] = _Undeleted.from_queryset(RoomQuerySet)()  # type: ignore[assignment]  # typed as a manager by the stubs
    with_deleted: ClassVar[RoomQuerySet] = RoomQuerySet.as_manager()  # type: ignore[assignment]  # typed as a manager by the stubs

    # The lists of rooms.filters that hold for it, where they were fetched with it.
    filtered_words: str | None = None
    # What whoever fetched it may read of its log: only what stands after this position (`Membership.reads_after`).
    readable_after = 0

    class Meta:
        verbose_name = _("room")
        verbose_name_plural = _("rooms")
        ordering = ("name", "pk")
        constraints = (
            models.CheckConstraint(name="room_channel_name_safe", condition=Q(channel_name__regex=CHANNEL_PATTERN)),
            models.CheckConstraint(name="room_name_not_blank", condition=~Q(name="")),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def named(self) -> tuple[int, str]:
        """How the audit log calls it."""
        return self.pk, self.name

    @property
    def is_public(self) -> bool:
        return self.kind == self.Kind.PUBLIC

    @property
    def begins_at_joining(self) -> bool:
        """Whether each member reads only what was said since they joined."""
        return self.history == self.History.JOINED and not self.is_public

    @property
    def policy(self) -> str:
        """All of it in one word, for its open pages to see whether it has changed."""
        ranks = (self.who_posts, self.who_invites, self.who_calls_all, self.who_pins)
        return "-".join((*ranks, str(self.slow_seconds), self.history))

    @property
    def is_archived(self) -> bool:
        return self.archived_at is not None

    @property
    def is_deleted(self) -> bool:
        return self.deleted_at is not None


class DeletedRoom(Room):
    """A room as the list of the deleted ones shows it."""

    objects: ClassVar[RoomQuerySet] = RoomQuerySet.as_manager()  # type: ignore[assignment]  # typed as a manager by the stubs

    class Meta:
        proxy = True
        verbose_name = _("deleted room")
        verbose_name_plural = _("deleted rooms")
        default_permissions = ()


class MembershipQuerySet(models.QuerySet["Membership"]):
    def in_force(self) -> Self:
        """Those of rooms that are there; a deleted room keeps its members only to have them when it is restored."""
        return self.filter(room__deleted_at=None)

    def inviting(self) -> Self:
        """Those whose people may add others: as `access.may_invite` says of one."""
        by_role = Q(role=Role.OWNER) | Q(role=F("room__who_invites")) | Q(room__who_invites=Role.MEMBER)
        return self.filter(by_role, user__is_guest=False)

    def named(self, beginning: str) -> Self:
        """Those whose username, or a word of whose name, begins so."""
        start = beginning.replace("\0", "")
        word = Q(user__name__istartswith=start) | Q(user__name__icontains=f" {start}")
        return self.filter(word | Q(user__username__startswith=start.lower()))

    def in_order(self) -> Self:
        """Owners first, then moderators, then members, by name within each."""
        rank = models.Case(
            *(models.When(role=role, then=models.Value(place)) for place, role in enumerate(Membership.Role.values))
        )
        return self.select_related("user").order_by(rank, "user__username")


def has_unread() -> IsNull:
    """Tell, of a membership in a query, whether somebody else's message stands above its read position."""
    newer = Event.objects.filter(
        room=OuterRef("room"), kind=Event.Kind.MESSAGE_CREATED, position__gt=OuterRef("last_read_position")
    ).exclude(actor=OuterRef("user"))
    # Not EXISTS: PostgreSQL would join that, and scan the whole log, where this looks at one row of the index.
    return IsNull(Subquery(newer.order_by("position").values("position")[:1]), False)


class Membership(models.Model):
    Role = Role

    # The unique constraint's index begins with the room, and so serves the foreign key; here and below.
    room = models.ForeignKey(Room, models.CASCADE, related_name="memberships", verbose_name=_("room"), db_index=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships", verbose_name=_("person")
    )
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.MEMBER)
    # Only grows. What is unread are other people's messages above it; positions are never subtracted.
    last_read_position = models.PositiveBigIntegerField(_("read up to"), default=0, editable=False)
    joined_at = models.DateTimeField(_("joined"), db_default=Now(), editable=False)
    # That of the event that tells of it.
    joined_position = models.PositiveBigIntegerField(default=0, db_default=0, editable=False)

    objects: ClassVar[MembershipQuerySet] = MembershipQuerySet.as_manager()  # type: ignore[assignment]  # typed as a manager by the stubs

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        ordering = ("pk",)
        constraints = (models.UniqueConstraint(fields=("room", "user"), name="membership_room_user_unique"),)

    def __str__(self) -> str:
        return f"{self.user} ({self.get_role_display()})"

    @property
    def is_moderator(self) -> bool:
        """Whether the person may run the room: rename it, add and remove members, delete others' messages."""
        return self.role in {self.Role.OWNER, self.Role.MODERATOR}

    @property
    def is_owner(self) -> bool:
        return self.role == self.Role.OWNER

    @property
    def reads_after(self) -> int:
        """The position after which the person may read the room's log."""
        return self.joined_position if self.room.begins_at_joining else 0

    def reaches(self, role: str) -> bool:
        return RANKS[self.role] >= RANKS[role]


IS_ABOUT_A_MESSAGE = Q(kind__startswith="message_") | Q(kind__startswith="reaction_")  # of an event


class Event(models.Model):
    """One entry of a room's log. It names what changed and holds no text: a replay shows things as they are now."""

    Kind: TypeAlias = EventKind

    room = models.ForeignKey(Room, models.CASCADE, related_name="events", db_index=False)
    position = models.PositiveBigIntegerField()
    kind = models.CharField(max_length=20, choices=Kind)
    # Whoever did it; empty once they deleted their account.
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False)
    # What it was done to: a message or a member, by kind.
    message = models.ForeignKey("messaging.Message", models.CASCADE, null=True, related_name="events")
    member = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False)
    # What became of it, in one of our words: a role, or which part of the room changed. Never what people wrote.
    change = models.CharField(max_length=20, db_default="", default="")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("room", "position")
        constraints = (
            models.UniqueConstraint(fields=("room", "position"), name="event_room_position_unique"),
            models.CheckConstraint(name="event_position_from_one", condition=Q(position__gte=1)),
            models.CheckConstraint(
                name="event_message_by_kind",
                condition=Q(IS_ABOUT_A_MESSAGE, message__isnull=False) | Q(~IS_ABOUT_A_MESSAGE, message__isnull=True),
            ),
        )
        indexes = (
            models.Index(F("room"), F("position"), name="event_message_created", condition=Q(kind="message_created")),
            # What is told between the messages.
            models.Index(F("room"), F("position"), name="event_of_no_message", condition=Q(message__isnull=True)),
        )

    def __str__(self) -> str:
        return f"{self.room_id}:{self.position} {self.kind}"
