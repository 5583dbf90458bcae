from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from tests.factories import UserFactory


@pytest.fixture
def browser(db: None) -> Client:
    """A browser that nobody is signed in with, at an address with no failed attempts to its name."""
    cache.clear()
    return Client()


@pytest.fixture
def ana(db: None) -> User:
    return UserFactory.create(username="ana", email="ana@example.org", name="Ana Lima")


@pytest.fixture
def confirmed_addresses(settings: Any) -> None:
    """A site that can send mail, and so asks people to confirm their addresses."""
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    settings.EMAIL_HOST = "mail.example.org"
