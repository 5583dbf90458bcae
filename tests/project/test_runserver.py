from __future__ import annotations

import os
import signal
import sys
import time
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from django.conf import settings
from django.db import connection

from tests.project.processes import BOUND, SpeakingProcess
from tests.server import database_url, free_port

LOADED = """
import sys
import project.asgi
from django.urls import get_resolver
get_resolver().url_patterns
print("daphne" in sys.modules, "twisted" in sys.modules)
"""


@pytest.mark.django_db(transaction=True)
def test_runserver_serves_by_daphne() -> None:
    port = free_port()
    environment = {**os.environ, "DATABASE_URL": database_url(connection.settings_dict), "PYTHONWARNINGS": "ignore"}
    process = SpeakingProcess(
        sys.executable,
        "manage.py",
        "runserver",
        "--noreload",
        f"127.0.0.1:{port}",
        environment={**environment, "SECRET_KEY": settings.SECRET_KEY},
    )
    try:
        process.wait_until("Starting ASGI/Daphne")
        assert _answered(f"http://127.0.0.1:{port}/accounts/login/") == (200, "daphne")
    finally:
        process.leave(signal.SIGINT)


def test_what_serves_does_without_twisted() -> None:
    process = SpeakingProcess(sys.executable, "-c", LOADED, environment=dict(os.environ))
    process.wait_until("False False")
    assert process.leave()[0] == 0


def _answered(url: str) -> tuple[int, str | None]:
    deadline = time.monotonic() + BOUND
    while True:
        try:
            with urlopen(url, timeout=BOUND) as answer:  # noqa: S310 (its own server)
                return answer.status, answer.headers["Server"]
        except URLError as error:  # it says that it starts before it listens
            if not isinstance(error.reason, ConnectionRefusedError) or time.monotonic() > deadline:
                raise
