"""What is said when something goes wrong. This module is a URLconf too, with what goes wrong in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path

from accounts.models import User
from project import errors
from tests.cast import nothing_happens
from tests.conftest import client_of
from tests.server import free_port

TOP = Path(__file__).resolve().parents[2]
SECONDS = 60
JSON = {"Accept": "application/json"}
HTML = {"Accept": "text/html"}
STREAM = {"Accept": "text/event-stream"}
HOSTILE = "<script>window.__x=1</script>\"'"


def go_wrong(request: HttpRequest, how: str) -> HttpResponse:
    secret = "Canary Secret"
    if how == "database":
        unreachable = connection.copy()
        unreachable.settings_dict = {**unreachable.settings_dict, "HOST": "127.0.0.1", "PORT": str(free_port())}
        unreachable.settings_dict["OPTIONS"] = {"connect_timeout": 2}
        unreachable.ensure_connection()
    raise {
        "404": Http404(secret),
        "403": PermissionDenied("A sentence for people."),
        "bare 403": PermissionDenied(),
        "400": BadRequest("A sentence for people."),
        "suspicious": SuspiciousOperation(secret),
        "500": RuntimeError(secret),
    }[how]


handler400 = errors.bad_request
handler403 = errors.permission_denied
handler404 = errors.page_not_found
handler500 = errors.server_error
urlpatterns = [path("wrong/<str:how>/", go_wrong), path("", include("project.urls"))]


@pytest.mark.faulty
@pytest.mark.parametrize("signed_in", [True, False])
@pytest.mark.parametrize(
    ("how", "status", "sentence"),
    [
        ("404", 404, "There is nothing here."),
        ("403", 403, "A sentence for people."),
        ("bare 403", 403, "You may not do this."),
        ("400", 400, "A sentence for people."),
        ("suspicious", 400, "That request can&#x27;t be understood."),
        ("500", 500, "Something went wrong here. It has been noted."),
        ("database", 503, "Earshot can&#x27;t reach its database right now. Try again in a moment."),
    ],
)
def test_error_is_a_page_or_json_and_never_a_stack(
    db: None, settings: Any, owner: User, how: str, status: int, sentence: str, signed_in: bool
) -> None:
    settings.ROOT_URLCONF = __name__
    client = client_of(owner) if signed_in else Client()
    client.raise_request_exception = False
    page, data, stream = (client.get(f"/wrong/{how}/", headers=headers) for headers in (HTML, JSON, STREAM))
    assert [page.status_code, data.status_code, stream.status_code] == [status] * 3
    assert page["Content-Type"] == "text/html; charset=utf-8"
    assert f"<h1>{sentence}</h1>" in page.content.decode()
    assert data.json() == stream.json() == {"errors": {"__all__": [sentence.replace("&#x27;", "'")]}}
    for response in (page, data, stream):
        assert response.get("Retry-After") == ("5" if status == 503 else None)
        assert response["Cache-Control"].startswith("no-store")
        for word in (b"Canary", b"Traceback", b"RuntimeError", b"psycopg", b".py"):
            assert word not in response.content


@pytest.mark.parametrize(
    "request_path",
    [f"/{HOSTILE}", f"/rooms/{HOSTILE}/", f"/rooms/?q={HOSTILE}", f"/setup/{HOSTILE}/", f"/accounts/{HOSTILE}/"],
)
@pytest.mark.parametrize("headers", [HTML, JSON], ids=["html", "json"])
def test_page_that_is_not_there_reflects_nothing(owner: User, request_path: str, headers: dict[str, str]) -> None:
    client = client_of(owner)
    with nothing_happens():
        response = client.get(request_path, headers={**headers, "Referer": HOSTILE, "User-Agent": HOSTILE})
    assert b"window.__x" not in response.content
    assert "window.__x" not in str(response.headers)


@pytest.mark.parametrize("host", ["x.example", "127.0.0.1.x.example", "a b", "[::1", "x.example:99999", "\x00"])
@pytest.mark.parametrize("headers", [HTML, JSON], ids=["html", "json"])
def test_unknown_host_is_refused(db: None, host: str, headers: dict[str, str]) -> None:
    assert Client().get("/rooms/", headers={**headers, "Host": "testserver"}).status_code in {302, 401}
    response = Client().get("/rooms/", headers={**headers, "Host": host})
    assert response.status_code == 400
    assert b"x.example" not in response.content


def test_forwarded_names_of_a_stranger_are_not_believed(db: None) -> None:
    forwarded = {
        "X-Forwarded-Host": "x.example",
        "X-Forwarded-Proto": "https",
        "Forwarded": "host=x.example;proto=https",
    }
    response = Client().get("/rooms/", headers={**HTML, **forwarded})
    assert (response.status_code, response["Location"]) == (302, "/accounts/login/?next=/rooms/")
    assert "x.example" not in str(response.headers)


@pytest.mark.parametrize(
    "cookie",
    [
        'earshot_session="abcdefgh\\000ijkl"',
        'earshot_csrf="\\000"',
        'messages="\\000"',
        'anything="a\\000"',
    ],
)
def test_nul_in_a_cookie_is_refused(db: None, cookie: str) -> None:
    harmless = cookie.replace("\\000", "\\101")
    assert Client().get("/rooms/", headers={**JSON, "Cookie": harmless}).status_code == 401
    response = Client().get("/rooms/", headers={**JSON, "Cookie": cookie})
    assert (response.status_code, list(response.json())) == (400, ["errors"])


@pytest.mark.parametrize("headers", [HTML, JSON], ids=["html", "json"])
def test_forged_form_is_refused_without_saying_why(owner: User, headers: dict[str, str]) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(owner)
    with nothing_happens():
        response = strict.post("/rooms/new/", {"name": "Tea", "kind": "public"}, headers=headers)
    assert response.status_code == 403
    assert b"This page has expired. Go back, reload it and try again." in response.content
    assert b"CSRF" not in response.content


# Run in a process of its own: this one's pool is connected already. Each request waits out the pool's five seconds, so
# they are made together.
WITHOUT_DATABASE = """
import json, django
django.setup()
from concurrent.futures import ThreadPoolExecutor
from django.test import Client

def ask(path_and_accept):
    path, accept = path_and_accept
    client = Client(raise_request_exception=False, headers={"Host": "localhost", "Accept": accept})
    client.cookies["earshot_session"] = "x" * 32
    response = client.get(path)
    return response.status_code, response.get("Retry-After"), response.content.decode()

asked = [("/rooms/", "text/html"), ("/rooms/", "application/json"), ("/rooms/x/stream/", "text/event-stream"),
         ("/readyz", "*/*"), ("/healthz", "*/*"), ("/accounts/login/", "text/html")]
with ThreadPoolExecutor(len(asked)) as pool:
    print(json.dumps(list(pool.map(ask, asked))))
"""


def test_site_without_its_database_says_come_back() -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "DATABASE_URL": f"postgresql://earshot@127.0.0.1:{free_port()}/earshot",
        "SECRET_KEY": "for-the-tests-only-7Hq2vZ9xW4nB6tR8yK1mP5sD3fG0jL",
    }
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_DATABASE],
        cwd=TOP,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    page, data, stream, ready, healthy, login = json.loads(done.stdout)
    sentence = "Earshot can't reach its database right now. Try again in a moment."
    assert page[:2] == data[:2] == stream[:2] == login[:2] == [503, "5"]
    assert sentence.replace("'", "&#x27;") in page[2]
    assert "Traceback" not in page[2]
    assert json.loads(data[2]) == json.loads(stream[2]) == {"errors": {"__all__": [sentence]}}
    assert (ready[0], "the database does not answer" in ready[2]) == (503, True)
    assert (healthy[0], "database" in healthy[2]) == (503, False)
