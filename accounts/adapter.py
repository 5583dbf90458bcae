"""allauth, told how things are here."""

from __future__ import annotations

import logging
from smtplib import SMTPException
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.contrib import messages
from django.core.validators import MaxLengthValidator
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import EMAIL_MAX, User
from project.http import wants_json

logger = logging.getLogger(__name__)

_ESSENTIAL_LINKS = ("activate_url", "invite_url", "password_reset_url", "signup_url")
_MAIL_RETRY_SECONDS = "60"


class AccountAdapter(DefaultAccountAdapter):
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "account_inactive": gettext_lazy("This account has been deactivated."),
        "email_password_mismatch": gettext_lazy("This email address and password don't belong together."),
        "email_taken": gettext_lazy("There is an account with this email address already."),
        "enter_current_password": gettext_lazy("This is not your current password."),
        "incorrect_code": gettext_lazy("This code is not right."),
        "incorrect_password": gettext_lazy("This is not your password."),
        "invalid_login": gettext_lazy("This username and password don't belong together."),
        "too_many_login_attempts": gettext_lazy("Too many failed attempts. Try again in a few minutes."),
        "username_password_mismatch": gettext_lazy("This username and password don't belong together."),
        "username_taken": gettext_lazy("This username is taken."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.SIGNUP == "open")

    def is_invited(self, request: HttpRequest) -> bool:
        """Return whether the person holds an invitation: some limits are for those who come by themselves."""
        return False

    def is_safe_url(self, url: str) -> bool:
        """Return whether the URL is a path here: nothing on this site links to itself by its host."""
        return url_has_allowed_host_and_scheme(url, allowed_hosts=None)

    def is_ajax(self, request: HttpRequest) -> bool:
        # allauth would answer in JSON of its own; only the one that asks for a passkey is not a page.
        match = request.resolver_match
        return bool(
            match and match.url_name == "mfa_login_webauthn" and request.method == "GET" and wants_json(request)
        )

    def clean_email(self, email: str) -> str:
        email = super().clean_email(email)
        MaxLengthValidator(EMAIL_MAX)(email)
        return email

    def clean_username(self, username: str, shallow: bool = False) -> str:
        username = super().clean_username(username.lower(), shallow)
        if not shallow and User.objects.looking_like(username).exists():
            raise self.validation_error("username_taken")
        return username

    def can_delete_email(self, email_address: EmailAddress) -> bool:
        """Return whether the address is not the one that the account rests on."""
        return not email_address.primary

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        try:
            with transaction.atomic():
                return bool(super().confirm_email(request, email_address))
        except IntegrityError:
            # Another account has it, unconfirmed.
            template = "account/messages/email_confirmation_failed.txt"
            self.add_message(request, messages.ERROR, template, {"email": email_address.email})
            return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send one mail, with links to the configured site whatever host the request named.

        When no mail can be sent, one that the person waits for ends the request with a 503.
        """
        is_awaited = any(link in context for link in _ESSENTIAL_LINKS)
        links = {link: at_site(context[link]) for link in _ESSENTIAL_LINKS if link in context}
        try:
            super().send_mail(template_prefix, email, {**context, **links, "site_url": at_site(self._origin())})
        except (OSError, SMTPException):
            logger.exception("No mail can be sent through EMAIL_HOST=%s.", settings.EMAIL_HOST)
            if is_awaited:
                raise ImmediateHttpResponse(self._mail_is_down()) from None

    def _origin(self) -> str:
        return str(self.request.build_absolute_uri("/"))

    def _mail_is_down(self) -> HttpResponse:
        message = _("Earshot can't send mail right now. Try again in a few minutes.")
        response = render(self.request, "error.html", {"status": 503, "message": message}, status=503)
        response.headers["Retry-After"] = _MAIL_RETRY_SECONDS
        return response


def at_site(url: str) -> str:
    """Return the address as it is at SITE_URL, whatever host a request named."""
    if not settings.SITE_URL:
        return url
    site = urlsplit(settings.SITE_URL)
    return urlsplit(url)._replace(scheme=site.scheme, netloc=site.netloc).geturl()
