"""Requests of one person or address: so many a minute, and then 429 with a time to wait."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from project import request_rate
from project.limit_table import LIMITS
from tests.conftest import client_of

PAGE = reverse("account_login")


@pytest.fixture(autouse=True)
def few(settings: Any) -> Iterator[None]:
    settings.LIMITS_FACTOR = 1
    settings.LIMITS = {
        **settings.LIMITS,
        "requests": {"burst": 3, "seconds": 60.0, "fails": "open"},
        "anonymous_writes": {"burst": 2, "seconds": 30.0, "fails": "closed"},
    }
    request_rate.forget_all()
    yield
    request_rate.forget_all()


def statuses(client: Client, path: str, times: int, **request: Any) -> list[int]:
    return [client.get(path, **request).status_code for _ in range(times)]


def test_stated_are_three_hundred_a_minute_and_twenty_writes_of_strangers() -> None:
    per_minute = {name: 60 / LIMITS[name]["seconds"] for name in ("requests", "anonymous_writes")}
    assert per_minute == {"requests": pytest.approx(300), "anonymous_writes": pytest.approx(20)}


def test_address_is_refused_after_its_burst_and_another_is_not(db: None) -> None:
    assert statuses(Client(), PAGE, 4) == [200, 200, 200, 429]
    answer = Client().get(PAGE)
    assert (answer.status_code, 1 <= int(answer["Retry-After"]) <= 60) == (429, True)
    assert statuses(Client(), PAGE, 1, REMOTE_ADDR="192.0.2.1") == [200]


def test_network_of_one_customer_is_one_address(db: None) -> None:
    found = [statuses(Client(), PAGE, 1, REMOTE_ADDR=f"2001:db8:1:2::{number}")[0] for number in range(4)]
    assert found == [200, 200, 200, 429]
    assert statuses(Client(), PAGE, 1, REMOTE_ADDR="2001:db8:1:3::1") == [200]


def test_people_are_counted_by_who_they_are_and_not_by_their_address(owner: User, outsider: User) -> None:
    for person in (owner, outsider):
        assert statuses(client_of(person), "/rooms/", 4) == [200, 200, 200, 429]


def test_cookies_that_are_no_sessions_do_not_help(db: None, settings: Any) -> None:
    found = []
    for number in range(4):
        client = Client()
        client.cookies[settings.SESSION_COOKIE_NAME] = f"made{number}"
        found += statuses(client, PAGE, 1)
    assert found == [200, 200, 200, 429]


def test_what_strangers_send_has_a_limit_of_its_own(db: None, settings: Any) -> None:
    settings.LIMITS["requests"]["burst"] = 100
    found = [Client().post(PAGE, {"login": "nobody", "password": "x"}).status_code for _ in range(3)]
    assert found == [200, 200, 429]
    assert Client().get(PAGE).status_code == 200


def test_program_is_told_in_json(db: None) -> None:
    statuses(Client(), PAGE, 3)
    answer = Client().get(PAGE, headers={"Accept": "application/json"})
    assert (answer.status_code, list(answer.json())) == (429, ["errors"])


def test_pictures_of_a_page_do_not_use_its_requests_up(owner: User, settings: Any) -> None:
    client = client_of(owner)
    assert statuses(client, "/files/none/", 5) == [404] * 5
    assert statuses(client, "/rooms/", 1) == [200]
    settings.LIMITS["files"] = {"burst": 1, "seconds": 60.0, "fails": "open"}
    assert statuses(client, "/files/none/", 2)[-1] == 429


def test_request_that_fewer_proxies_forwarded_than_are_trusted_is_counted_by_its_connection(
    db: None, settings: Any
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 2
    forwarded = {"headers": {"X-Forwarded-For": "192.0.2.1"}}
    assert statuses(Client(), PAGE, 4, **forwarded) == [200, 200, 200, 429]


def test_health_is_never_refused(db: None) -> None:
    assert 429 in statuses(Client(), PAGE, 4)
    assert 429 not in statuses(Client(), "/healthz", 5)
