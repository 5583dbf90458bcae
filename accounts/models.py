from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.sessions.models import Session
from django.db import models
from django.db.models.functions import Lower, Now
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.audit import AuditEntry
from accounts.names import USERNAME_MAX, USERNAME_VALIDATORS, initials
from accounts.skeletons import skeleton

__all__ = ["AuditEntry", "Ignored", "Revocation", "SiteBan", "User"]


class NameKeyField(models.CharField):  # type: ignore[type-arg]  # generic for the checker alone
    """The skeleton of the person's name, kept in step with it whenever the row is written."""

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        key = skeleton(getattr(model_instance, "name", ""))
        setattr(model_instance, self.attname, key)
        return key


EMAIL_MAX = 254  # characters; of the columns, where a form field would let 320 through


class People(UserManager["User"]):
    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        # allauth looks addresses up by their lower-case form only.
        return (email or "").strip().lower()

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(username=(username or "").lower())

    def looking_like(self, name: str) -> models.QuerySet[User]:
        """Return those whose name or username can be taken for this one."""
        key = skeleton(name)
        return self.filter(models.Q(name_key=key) | models.Q(username=key))


class User(AbstractUser):
    """A person. `username` is how others name them (`@ana`), `name` is how they are shown."""

    first_name = None  # type: ignore[assignment]  # how Django takes a field away
    last_name = None  # type: ignore[assignment]  # how Django takes a field away
    username = models.CharField(
        _("username"),
        max_length=USERNAME_MAX,
        validators=USERNAME_VALIDATORS,
        help_text=_("Lower-case letters, digits, dots, hyphens and underscores."),
    )
    email = models.EmailField(_("email address"))
    name = models.CharField(_("name"), max_length=settings.DISPLAY_NAME_MAX, blank=True)
    name_key = NameKeyField(editable=False, blank=True, default="")
    # Empty: as the browser asks. Not limited to `choices`, so that a language more is no migration.
    language = models.CharField(_("language"), max_length=12, blank=True, default="")
    # Else Enter breaks the line, and Ctrl+Enter sends, which it always does.
    enter_sends = models.BooleanField(_("Enter sends"), default=True, db_default=True)
    # Names the person's picture among the uploaded files; another picture has another one. Empty: their initials.
    avatar_key = models.CharField(max_length=32, blank=True, editable=False, default="", db_default="")
    is_guest = models.BooleanField(
        _("guest"),
        default=False,
        db_default=False,
        help_text=_("Knows of the rooms they were added to, and of no others."),
    )

    objects: ClassVar[People] = People()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["email"]

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        ordering = ("username",)
        # Kept in lower case, so that a plain index finds them whatever the case they are typed in.
        constraints = (
            models.CheckConstraint(condition=models.Q(username=Lower("username")), name="user_username_lower"),
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_lower"),
            models.UniqueConstraint(
                fields=("username",),
                name="user_username_unique",
                violation_error_code="unique",
                violation_error_message=_("This username is taken."),
            ),
            models.UniqueConstraint(
                fields=("email",),
                name="user_email_unique",
                condition=~models.Q(email=""),
                violation_error_code="unique",
                violation_error_message=_("This email address is taken."),
            ),
            models.UniqueConstraint(
                fields=("name_key",),
                name="user_name_unique",
                condition=~models.Q(name_key=""),
                violation_error_message=_("This name is taken."),
            ),
        )

    def __str__(self) -> str:
        return self.display_name

    @classmethod
    def normalize_username(cls, username: Any) -> str:
        return str(super().normalize_username(username)).lower()

    @property
    def display_name(self) -> str:
        return self.name or self.username

    @property
    def initials(self) -> str:
        return initials(self.display_name)

    @property
    def avatar_url(self) -> str:
        """Where the person's picture is, or an empty text without one."""
        return reverse("accounts:avatar", args=[self.avatar_key]) if self.avatar_key else ""

    @property
    def hue(self) -> int:
        """The person's colour, 0 to 11: an index into the palette of `avatar.css`, the same for ever."""
        return self.pk * 7 % 12

    def get_full_name(self) -> str:
        return self.display_name

    def get_short_name(self) -> str:
        return self.username


class Device(models.Model):
    """Where one session is used from, as its person is shown it: no address in full, nothing that a browser wrote."""

    # Without a constraint: a version that knows of no devices must be able to end a session.
    session = models.OneToOneField(Session, models.CASCADE, related_name="+", db_constraint=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="devices")
    browser = models.CharField(max_length=20, blank=True)
    system = models.CharField(max_length=20, blank=True)
    network = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField()

    class Meta:
        ordering = ("-seen_at", "pk")

    def __str__(self) -> str:
        return " · ".join(part for part in (self.browser, self.system) if part) or gettext("An unknown device")


class Closing(models.Model):
    """That somebody has deleted their account, and that what is left of them is still to be removed."""

    user = models.OneToOneField(User, models.CASCADE, related_name="+")
    takes_messages = models.BooleanField()
    asked_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"closing of {self.user_id}"


class Revocation(models.Model):
    """That a session ended, or that a person's sessions are no longer believed, in the order of the commits.

    Written by triggers, in the transaction that ended them: whoever sees something that was written after it sees this
    as well. Only the newest are kept.
    """

    number = models.BigIntegerField(primary_key=True)
    # `user:<id>` or `session:<key>`.
    subject = models.CharField(max_length=60)

    def __str__(self) -> str:
        return f"{self.number}"


class SiteBan(models.Model):
    """Keeps a person from signing in. Lifting it deletes it."""

    user = models.OneToOneField(User, models.CASCADE, related_name="site_ban", verbose_name=_("person"))
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", verbose_name=_("by"))
    reason = models.CharField(_("reason"), max_length=settings.BAN_REASON_MAX, blank=True)
    created_at = models.DateTimeField(_("since"), db_default=Now(), editable=False)
    expires_at = models.DateTimeField(_("until"), null=True, blank=True)
    was_active = models.BooleanField(default=True, db_default=True, editable=False)  # and is again when it is lifted

    class Meta:
        verbose_name = _("ban from the site")
        verbose_name_plural = _("bans from the site")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return str(self.user)


class Ignored(models.Model):
    """Somebody whom a person does not want to read. They don't learn of it."""

    person = models.ForeignKey(User, models.CASCADE, related_name="ignores", db_index=False)
    ignored = models.ForeignKey(User, models.CASCADE, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("person", "ignored"), name="ignored_person_ignored_unique"),
            models.CheckConstraint(condition=~models.Q(person=models.F("ignored")), name="ignored_is_another"),
        )

    def __str__(self) -> str:
        return f"{self.person_id}: {self.ignored_id}"
