from __future__ import annotations

import http.client
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection as database
from django.test import Client
from psycopg import sql

from messaging.stream import HUB
from project.realtime.reader import connection_settings
from tests.bad_input import METHODS
from tests.server import ServerProcess

WAIT_SECONDS = 15.0


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


def test_health_of_the_process_asks_no_database(db: None, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        Client().get("/healthz")
    with django_assert_num_queries(1):
        Client().get("/readyz")


def faults() -> list[str]:
    """What this process, in which no listener runs, finds wrong besides."""
    found: list[str] = Client().get("/readyz").json()["faults"]
    return [fault for fault in found if fault != "the listener has not been started"]


def test_exhausted_pool_is_told_at_once_and_without_a_connection(transactional_db: None) -> None:
    assert faults() == []
    database.close()
    pool = database.pool  # type: ignore[attr-defined]  # PostgreSQL's connections have one
    with ExitStack() as taken:
        for _ in range(settings.DATABASE_POOL):
            taken.callback(pool.putconn, pool.getconn())
        began = time.monotonic()
        assert faults() == [f"all {settings.DATABASE_POOL} database connections are in use, and 0 requests wait"]
        assert time.monotonic() - began < pool.timeout
    assert faults() == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=False)
    if mounted.returncode:
        pytest.skip("only root may mount a disk of its own")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_full_disk_is_told(db: None, settings: Any, small_disk: Path) -> None:
    settings.DISK_WATCHED = [small_disk]
    assert faults() == []
    (small_disk / "ballast").write_bytes(bytes(1000 * 1024))
    assert faults() == ["the disk of small is almost full: 2.3 % are free"]
    (small_disk / "ballast").unlink()
    assert faults() == []


def test_disk_below_the_threshold_or_away_is_told(db: None, settings: Any, tmp_path: Path) -> None:
    settings.DISK_WATCHED = [tmp_path]
    settings.DISK_FREE_PERCENT = 0
    assert faults() == []
    settings.DISK_FREE_PERCENT = 101
    assert [fault.partition(":")[0] for fault in faults()] == [f"the disk of {tmp_path.name} is almost full"]
    settings.DISK_WATCHED = [tmp_path / "away"]
    assert faults() == ["the disk of away can't be looked at: No such file or directory"]


def test_dead_listener_does_not_look_healthy(server: ServerProcess) -> None:
    name = database.settings_dict["NAME"]
    with psycopg.connect(**{**connection_settings(), "dbname": "postgres"}, autocommit=True) as outside:
        allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        outside.execute(allow.format(sql.Identifier(name), sql.SQL("false")))
        try:
            listeners = (
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'earshot listener'"
            )
            assert outside.execute(f"{listeners} AND datname = %s", [name]).fetchall()
            told = until(server, 503)
            assert "there is no LISTEN connection" in told["faults"]
        finally:
            outside.execute(allow.format(sql.Identifier(name), sql.SQL("true")))
    assert until(server, 200) == {"ok": True}


def until(server: ServerProcess, status: int) -> dict[str, Any]:
    """Ask the server whether it is ready until it answers with this status, for a bounded time."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        asking = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        asking.request("GET", "/readyz")
        answer = asking.getresponse()
        told: dict[str, Any] = json.loads(answer.read())
        asking.close()
        if answer.status == status:
            return told
    raise AssertionError(f"/readyz never said {status}; the last it said was {told}")
