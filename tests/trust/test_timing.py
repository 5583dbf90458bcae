"""Who is here can't be told by how much work an answer takes (the times of a whole machine are another matter)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from statistics import median

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import UserFactory

Record = Callable[[str, object], None]
TRIES = 10 * int(os.environ.get("EARSHOT_TRUST_TIMES", "2"))
APART_SECONDS = 0.010
FORMS: dict[str, tuple[str, dict[str, str]]] = {
    "sign in": ("account_login", {"login": "{who}", "password": "wrong horse battery"}),
    "ask for another password": ("account_reset_password", {"email": "{who}@example.org"}),
    "ask for a code": ("account_request_login_code", {"email": "{who}@example.org"}),
}


@pytest.mark.parametrize("name", FORMS)
def test_known_and_unknown_addresses_cost_as_much(db: None, name: str, record_property: Record) -> None:
    """One after the other, each from an address of its own, in time of the processor: the machine has other work."""
    route, fields = FORMS[name]
    took: dict[str, list[float]] = {"known": [], "unknown": []}
    statuses = set()
    for number in range(TRIES):
        UserFactory.create(username=f"known{number}", email=f"known{number}@example.org")
        for place, (kind, times) in enumerate(took.items()):
            client = Client(REMOTE_ADDR=f"198.{18 + place}.{number // 250}.{number % 250}")
            sent = {field: value.format(who=f"{kind}{number}") for field, value in fields.items()}
            began = time.process_time()
            statuses.add(client.post(reverse(route), sent).status_code)
            times.append(time.process_time() - began)
    assert len(statuses) == 1
    apart = abs(median(took["known"]) - median(took["unknown"]))
    record_property("timing_ms", round(apart * 1000, 1))
    assert apart < APART_SECONDS, {kind: round(median(times) * 1000, 1) for kind, times in took.items()}
