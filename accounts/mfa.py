"""allauth's passkeys and codes, told how things are here."""

from __future__ import annotations

import base64
import logging
import secrets
from io import BytesIO

import segno
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.sealing import SealError, seal, unseal

logger = logging.getLogger(__name__)

_MODULE_PIXELS = 6  # of the QR code


class MFAAdapter(DefaultMFAAdapter):
    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "cannot_generate_recovery_codes": gettext_lazy("Add a passkey or an app first."),
        "incorrect_code": gettext_lazy("This code is not right."),
        "unverified_email": gettext_lazy("Confirm your email address first."),
    }

    def encrypt(self, text: str) -> str:
        return seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Return a secret that was kept; in place of one that can't be read, another that no code belongs to."""
        try:
            return unseal(encrypted_text)
        except SealError:
            logger.error("A person's codes can't be read: add the secret key of that time to SECRET_KEY_FALLBACKS")
            return base64.b32encode(secrets.token_bytes(20)).decode()

    def get_totp_issuer(self) -> str:
        return settings.SITE_HOST or "Earshot"

    def build_totp_svg(self, url: str) -> str:
        image = BytesIO()
        segno.make(url, error="m").save(image, kind="svg", scale=_MODULE_PIXELS, light="#fff", xmldecl=False)
        return image.getvalue().decode()

    def generate_authenticator_name(self, user: AbstractBaseUser, type: Authenticator.Type) -> str:  # noqa: A002 (allauth names it)
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1
        return _("Passkey") if number == 1 else _("Passkey %(number)d") % {"number": number}

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Return who asks for passkeys: they are of one host, so it is the configured one, whatever a request names."""
        asked = super().get_public_key_credential_rp_entity()
        return {"id": settings.SITE_HOST or asked["id"], "name": "Earshot"}
