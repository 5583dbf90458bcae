from __future__ import annotations

import http.client
import json

import pytest
from django.test import Client

from messaging.stream import HUB
from tests.bad_input import METHODS
from tests.server import ServerProcess


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_process_that_works_says_so(server: ServerProcess, path: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", path)
    response = connection.getresponse()
    assert (response.status, json.loads(response.read())) == (200, {"ok": True})
    assert response.headers["Cache-Control"] == "no-store, private"
    assert "Set-Cookie" not in response.headers
    assert "Server" not in response.headers
    connection.close()


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_process_without_a_listener_says_so(db: None, path: str) -> None:
    assert not HUB.is_started
    response = Client().get(path)
    assert response.status_code == 503
    assert response.json() == {"ok": False, "faults": ["the listener has not been started"]}


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_wrong_method_is_refused(db: None, path: str) -> None:
    for method in set(METHODS) - {"GET", "HEAD"}:
        response = Client().generic(method, path)
        assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")


def test_health_of_the_process_asks_no_database(db: None, django_assert_num_queries: object) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        Client().get("/healthz")
    with django_assert_num_queries(1):  # type: ignore[operator]
        Client().get("/readyz")
