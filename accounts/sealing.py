"""Secrets that have to be read again are kept encrypted: whoever has a copy of the database alone can't use them."""

from __future__ import annotations

import base64
import hashlib
from functools import cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_KIND = "sealed"
_PURPOSE = b"earshot.accounts.sealing"


class SealError(Exception):
    """A sealed text is of none of the secret keys that there are."""


def seal(text: str) -> str:
    """Return a text encrypted under the secret key, with the mark of that key before it."""
    key = _key_of(settings.SECRET_KEY)
    return f"{_KIND}:{_mark_of(key)}:{Fernet(key).encrypt(text.encode()).decode()}"


def unseal(text: str) -> str:
    """Return what was sealed, under the secret key or one of its fallbacks; what never was sealed, as it is.

    Raises `SealError`.
    """
    if not text.startswith(f"{_KIND}:"):
        return text
    _kind, mark, token = [*text.split(":", 2), "", ""][:3]
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        if _mark_of(key := _key_of(secret)) == mark:
            try:
                return Fernet(key).decrypt(token).decode()
            except InvalidToken:
                break
    raise SealError


def is_sealed(text: str) -> bool:
    """Tell whether a text is sealed under the secret key that there is now."""
    return text.startswith(f"{_KIND}:{_mark_of(_key_of(settings.SECRET_KEY))}:")


@cache
def _key_of(secret: str) -> bytes:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret.encode())
    return base64.urlsafe_b64encode(derived)


def _mark_of(key: bytes) -> str:
    return hashlib.sha256(_PURPOSE + key).hexdigest()[:8]
