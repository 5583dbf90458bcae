from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from tests.conftest import client_of


@pytest.fixture
def browser(owner: User) -> Client:
    return client_of(owner)
