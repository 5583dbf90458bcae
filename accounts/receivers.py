"""What Django and allauth tell of by signals only: a person's sessions have ended, so their streams must too."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import password_changed, password_reset, password_set
from django.contrib.auth.signals import user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.actions import end_streams_of
from accounts.models import User


@receiver(user_logged_out)
def end_streams_after_logout(request: HttpRequest, user: User | None, **_: Any) -> None:
    if user:
        # Django deletes the session after this signal; whoever hears of it must find it gone already.
        request.session.flush()
        end_streams_of(user)


@receiver([password_changed, password_reset, password_set])
def end_streams_after_password_change(user: User, **_: Any) -> None:
    end_streams_of(user)
