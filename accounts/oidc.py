"""Signing in through a provider of the site's own choice (OpenID Connect), told how things are here."""

from __future__ import annotations

from typing import Any

from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from accounts.models import User


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    error_messages = {
        **DefaultSocialAccountAdapter.error_messages,
        "connected_other": gettext_lazy("This account is connected to somebody else here."),
        "email_taken": gettext_lazy(
            "There is an account with this email address already. Sign in to it, then connect your %s account."
        ),
        "no_password": gettext_lazy("Set a password first: without one you could not sign in any more."),
    }

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Return whether those may come in whom the provider knows: it was chosen for that, unless nobody may."""
        return bool(settings.SIGNUP != "closed")

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> User:
        """Take over the address and a proposal for the username: the person looks at both."""
        known = {"email": data.get("email") or "", "username": _username(data)}
        user: User = super().populate_user(request, sociallogin, known)
        return user


def _username(data: dict[str, Any]) -> str:
    asked = str(data.get("username") or data.get("email") or "")
    return asked.partition("@")[0]
