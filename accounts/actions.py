"""Everything that changes an account."""

from __future__ import annotations

import itertools
import re
import secrets
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from accounts.models import Closing, Device, User
from accounts.names import RESERVED, USERNAME_MAX
from accounts.sealing import SealError, is_sealed, seal, unseal
from accounts.sessions import end_session, end_sessions_of
from project.files import store
from project.realtime.notify import CONTROL_CHANNEL, publish


def change_name(user: User, *, name: str) -> User:
    """Show the person under another name, already cleaned; an empty one shows the username.

    Raises `ValidationError` when somebody took the name meanwhile.
    """
    user.name = name
    try:
        with transaction.atomic():
            user.save(update_fields=["name", "name_key"])
    except IntegrityError:
        user.refresh_from_db(fields=["name", "name_key"])
        raise ValidationError({"name": _("This name is taken.")}) from None
    return user


def choose_language(user: User, *, language: str) -> User:
    """Show the pages to the person in this language; an empty one leaves it to the browser."""
    user.language = language
    user.save(update_fields=["language"])
    return user


def choose_enter(user: User, *, sends: bool) -> None:
    """Have Enter send what the person writes, or break the line."""
    user.enter_sends = sends
    user.save(update_fields=["enter_sends"])


def change_avatar(user: User, *, picture: Path) -> User:
    """Show the person by a picture that is on the disk already; their earlier one is removed. Takes their row lock.

    Raises `StorageError`, and then nothing is left of the picture.
    """
    key = store.new_key()
    try:
        with transaction.atomic():
            store.keep(picture, key)
            return _set_avatar(user, key)
    except BaseException:
        store.discard(picture)
        store.remove(key)
        raise


def remove_avatar(user: User) -> User:
    """Show the person by their initials again. Takes their row lock."""
    with transaction.atomic():
        return _set_avatar(user, "")


def change_email(user: User, *, email: str) -> EmailAddress:
    """Make this the person's only address, unconfirmed; raises `IntegrityError` when it is somebody else's."""
    with transaction.atomic():
        EmailAddress.objects.filter(user=user).delete()
        user.email = email
        user.save(update_fields=["email"])
        return EmailAddress.objects.create(user=user, email=email, primary=True)


def create_owner(*, name: str, email: str, password: str) -> User:
    """Make the person who owns the site: superuser, staff, their address taken as confirmed.

    The username comes from the address or the name. Raises `ValidationError`, by field, when the name or the address
    is somebody else's.
    """
    email = User.objects.normalize_email(email)
    for username in _usernames(email.partition("@")[0], name):
        if User.objects.looking_like(username).exists():
            continue
        try:
            with transaction.atomic():
                owner = User.objects.create_superuser(username, email, password, name=name)
                EmailAddress.objects.create(user=owner, email=email, verified=True, primary=True)
        except IntegrityError as error:
            _raise_if_final(error)
        else:
            return owner
    raise AssertionError("usernames never run out")


def hand_over_rooms(user: User, *, actor: User) -> None:
    """Have what this person runs be run by others too, in the transaction in which their account is closed."""
    import_string(settings.SUCCESSION)(user, actor=actor)


def step_down(user: User, *, actor: User) -> None:
    """Have what this person runs be run by others instead, in the transaction in which they become a guest."""
    import_string(settings.STEPPING_DOWN)(user, actor=actor)


def sign_out_everywhere(people: Iterable[User]) -> None:
    """End all sessions of these people, and their open streams with them."""
    people = list(people)
    end_sessions_of(people)
    for person in people:
        end_streams_of(person)


def sign_out_device(device: Device) -> None:
    """End one of a person's sessions, and its open streams with it."""
    end_session(device)
    end_streams_of(device.user)


def sign_out_elsewhere(user: User, *, here: str | None) -> None:
    """End all of a person's sessions but the one with this key, and their open streams with them."""
    end_sessions_of([user], but=here)
    end_streams_of(user)


def remove_factors(user: User) -> None:
    """Take away a person's passkeys, app and recovery codes."""
    Authenticator.objects.filter(user=user).delete()


def seal_factors() -> int:
    """Seal what people's codes are made of, where it is not sealed under the secret key of now; return of how many.

    A server does it by itself. Takes the row lock of each; what can't be read stays as it is.
    """
    factors = Authenticator.objects.filter(type__in=(Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES))
    stale = [pk for pk, data in factors.values_list("pk", "data") if _sealed(data) != data]
    for pk in stale:
        with transaction.atomic():
            for factor in factors.select_for_update().filter(pk=pk):
                factor.data = _sealed(factor.data)
                factor.save(update_fields=["data"])
    return len(stale)


def _sealed(data: dict[str, Any]) -> dict[str, Any]:
    sealed = dict(data)
    for name in data.keys() & {"secret", "seed"}:
        sealed[name] = _sealed_text(data[name])
    for name in data.keys() & {"migrated_codes"}:
        sealed[name] = [_sealed_text(code) for code in data[name]]
    return sealed


def _sealed_text(text: str) -> str:
    if is_sealed(text):
        return text
    try:
        return seal(unseal(text))
    except SealError:
        return text


def close_account(user: User, *, takes_messages: bool) -> None:
    """Have nothing of a person shown any more but that they were here, and end their sessions and streams.

    Raises `ValidationError` for the last owner of the site. Takes the row locks of all who own it.
    """
    with transaction.atomic():
        if is_last_superuser(user):
            raise ValidationError(_("Somebody has to own the site: make another person a superuser first."))
        end_sessions_of([user])
        _set_avatar(user, "")
        EmailAddress.objects.filter(user=user).delete()
        remove_factors(user)
        user.username, user.name, user.email = f"former.{secrets.token_hex(10)}", "", ""
        user.is_active = user.is_staff = user.is_superuser = False
        user.set_unusable_password()
        user.save()
        Closing.objects.create(user=user, takes_messages=takes_messages)
        end_streams_of(user)


def forget_person(user: User) -> None:
    """Remove a person's row. What they said stays, and is nobody's."""
    User.objects.filter(pk=user.pk).delete()


def is_last_superuser(person: User) -> bool:
    """Tell whether nobody else owns the site. Locks the rows of all who do, so that no two can step down at once."""
    owners = User.objects.select_for_update().filter(is_superuser=True, is_active=True).order_by("pk")
    return list(owners.values_list("pk", flat=True)) == [person.pk]


def end_streams_of(user: User) -> None:
    """Have every process check this person's open streams, once what was changed is committed."""
    transaction.on_commit(lambda: publish(CONTROL_CHANNEL, f"user:{user.pk}"), robust=True)


def _set_avatar(user: User, key: str) -> User:
    former = User.objects.select_for_update(no_key=True).get(pk=user.pk).avatar_key
    user.avatar_key = key
    user.save(update_fields=["avatar_key"])
    if former:
        transaction.on_commit(lambda: store.remove(former), robust=True)
    return user


def _usernames(*sources: str) -> Iterator[str]:
    """Yield valid usernames made of these texts: first each as it is, then the first of them with numbers."""
    stems = [stem for stem in map(_username_stem, sources) if len(stem) > 1] or ["person"]
    yield from (stem for stem in stems if stem not in RESERVED)
    yield from (f"{stems[0][: USERNAME_MAX - len(str(number))]}{number}" for number in itertools.count(2))


def _username_stem(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", ".", plain).strip(".")[:USERNAME_MAX].rstrip(".")


def _raise_if_final(error: IntegrityError) -> None:
    """Raise a `ValidationError` for a conflict that another username would not solve."""
    for field, constraint, message in (
        ("email", "user_email_unique", _("This email address is taken.")),
        ("name", "user_name_unique", _("This name is taken.")),
    ):
        if constraint in str(error):
            raise ValidationError({field: message}) from None
