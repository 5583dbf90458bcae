"""What an invitation changes about signing up."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import Http404, HttpRequest

from accounts.adapter import AccountAdapter as OwnAccountAdapter
from accounts.models import User
from invites.access import lets_sign_up
from invites.actions import accept_invite
from invites.holding import forget, held_hash, held_invite


class AccountAdapter(OwnAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return super().is_open_for_signup(request) or self.is_invited(request)

    def is_invited(self, request: HttpRequest) -> bool:
        invite = held_invite(request)
        return invite is not None and lets_sign_up(invite)

    def save_user(self, request: HttpRequest, user: AbstractBaseUser, form: Any, commit: bool = True) -> User:
        """Save somebody who signs up, and let them in by the invitation that they hold, in the same transaction.

        Raises `Http404` when it is good no more and nobody may sign up without one.
        """
        saved = cast(User, super().save_user(request, user, form, commit))
        if token_hash := held_hash(request):
            try:
                accept_invite(token_hash, actor=saved, is_new=True)
            except Http404:
                if settings.SIGNUP != "open":
                    raise
            forget(request)
        return saved
