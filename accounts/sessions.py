"""Whether people are still signed in, asked without their requests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import lru_cache

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import IntegrityError, transaction
from django.db.models import Max, Min
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.models import Device, Revocation, User

CLEARED_AT_ONCE = 500

SignIn = tuple[int, str]  # (user's id, session key)


def still_signed_in(pairs: Iterable[SignIn]) -> set[SignIn]:
    """Return the pairs that a request with that session would still be taken for, as `auth.get_user` decides it.

    Two queries, however many pairs there are.
    """
    wanted = set(pairs)
    people = User.objects.filter(is_active=True, pk__in={user_id for user_id, _ in wanted})
    passwords = dict(people.values_list("pk", "password"))
    sessions = Session.objects.filter(
        session_key__in={key for user_id, key in wanted if user_id in passwords}, expire_date__gt=timezone.now()
    )
    data_by_key = dict(sessions.values_list("session_key", "session_data"))
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return {
        (user_id, key)
        for user_id, key in wanted
        if user_id in passwords
        and key in data_by_key
        and _belongs(data_by_key[key], user_id, passwords[user_id], secrets)
    }


def revocations_after(number: int) -> tuple[int, frozenset[str] | None]:
    """Return the number of the last revocation, and the subjects of those after the given one.

    None instead of the subjects when not all of them are kept any more, or the numbers began anew.
    """
    first, last = Revocation.objects.aggregate(first=Min("number"), last=Max("number")).values()
    if not first:
        return 0, None
    if not first - 1 <= number <= last:
        return last, None
    after = Revocation.objects.filter(number__gt=number, number__lte=last)
    return last, frozenset(after.values_list("subject", flat=True))


def keep_devices(seen: Sequence[Device]) -> None:
    """Keep where sessions were seen last; of those that have ended nothing is kept. Raises `DatabaseError`."""
    live = set(
        Session.objects.filter(session_key__in=[each.session_id for each in seen]).values_list("session_key", flat=True)
    )
    kept = [each for each in seen if each.session_id in live]
    with suppress(IntegrityError), transaction.atomic():  # a person went in this very moment
        Device.objects.bulk_create(
            kept,
            update_conflicts=True,
            unique_fields=["session"],
            update_fields=["user", "browser", "system", "network", "seen_at"],
        )


def devices_of(user: User) -> list[Device]:
    """Return where a person is signed in, the last seen first."""
    devices = Device.objects.filter(user=user, session__expire_date__gt=timezone.now())
    good = still_signed_in((user.pk, device.session_id) for device in devices)
    return [device for device in devices if (user.pk, device.session_id) in good]


def end_session(device: Device) -> None:
    Session.objects.filter(session_key=device.session_id).delete()


def end_sessions_of(people: Iterable[User], *, but: str | None = None) -> int:
    """Delete every session in which one of these people is signed in, `but` that one, and return how many there were.

    A session names its person only inside its signed data, so all that are live are read.
    """
    store = SessionStore()
    names = {str(person.pk) for person in people}
    live = Session.objects.filter(expire_date__gt=timezone.now()).values_list("session_key", "session_data")
    ended = [key for key, data in live.iterator() if key != but and store.decode(data).get(SESSION_KEY) in names]
    return Session.objects.filter(session_key__in=ended).delete()[0]


def clear_ended() -> None:
    """Remove the sessions that have run out, and what was noted of them."""
    ended = Session.objects.filter(expire_date__lt=timezone.now()).values_list("session_key", flat=True)
    while keys := list(ended[:CLEARED_AT_ONCE]):
        Session.objects.filter(session_key__in=keys).delete()


def _auth_hashes(user: User) -> list[str]:
    # Sessions that were opened under an older secret key hold until that key is dropped from SECRET_KEY_FALLBACKS.
    return [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]


# All open streams are asked about every half a minute, and mostly what was asked the last time.
@lru_cache(maxsize=20_000)
def _belongs(session_data: str, user_id: int, password: str, _secrets: tuple[str, ...]) -> bool:
    """Tell whether a session's signed data are those of this person with this password hash, under these secrets."""
    data = SessionStore().decode(session_data)
    held = str(data.get(HASH_SESSION_KEY, ""))
    return (
        data.get(SESSION_KEY) == str(user_id)
        and data.get(BACKEND_SESSION_KEY) in settings.AUTHENTICATION_BACKENDS
        and any(constant_time_compare(held, hash_now) for hash_now in _auth_hashes(User(pk=user_id, password=password)))
    )
