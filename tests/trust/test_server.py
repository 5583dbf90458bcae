"""The shipped server: what it says of itself, whom it believes, and what it writes down."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from accounts.models import User
from rooms.models import Room
from tests.cast import nothing_happens
from tests.conftest import client_of
from tests.factories import PASSWORD, MessageFactory
from tests.server import ServerProcess
from tests.streams import cookie_header

WAIT_SECONDS = 15
SITE: dict[str, Any] = {"SITE_URL": "https://chat.example.org", "TRUSTED_PROXIES": "1", "LOG_LEVEL": "DEBUG"}
PROXIED = {"Host": "chat.example.org", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}


@pytest.fixture(scope="module")
def site(django_db_setup: None, static_files: None) -> Iterator[ServerProcess]:
    """The server as it runs behind a proxy with TLS."""
    with ServerProcess(database=connection.settings_dict, **SITE) as server:
        yield server


def ask(
    server: ServerProcess, path: str, headers: dict[str, str], method: str = "GET", body: str | None = None
) -> tuple[http.client.HTTPResponse, bytes]:
    wire = http.client.HTTPConnection("127.0.0.1", server.port, timeout=WAIT_SECONDS)
    try:
        wire.request(method, path, body, headers)
        response = wire.getresponse()
        return response, response.read() if response.getheader("Content-Type") != "text/event-stream" else b""
    finally:
        wire.close()


def session_of(user: User) -> str:
    return client_of(user).cookies[settings.SESSION_COOKIE_NAME].value


def sign_in(
    site: ServerProcess, login: str, password: str, address: str = "203.0.113.7"
) -> tuple[http.client.HTTPResponse, str, bytes]:
    """Sign in as a browser does, and return the answer, the CSRF token and the page."""
    proxied = PROXIED | {"X-Forwarded-For": address}
    page, body = ask(site, "/accounts/login/", proxied)
    found = re.search(rb'csrfmiddlewaretoken" value="(\w+)"', body)
    cookie = re.search(r"__Host-csrf=(\w+)", page.getheader("Set-Cookie") or "")
    assert found
    assert cookie
    headers = {**proxied, "Cookie": cookie[0], "Referer": "https://chat.example.org/accounts/login/"}
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    form = f"login={login}&password={password.replace(' ', '+')}&csrfmiddlewaretoken={found[1].decode()}"
    response, said = ask(site, "/accounts/login/", headers, "POST", form)
    return response, cookie[1], said


# Headers and cookies


@pytest.mark.parametrize(
    "path", ["/accounts/login/", "/rooms/", "/nothing/", "/admin/", "/healthz", "/sw.js", "/accounts/signup/"]
)
def test_every_answer_has_the_headers_that_keep_it_in(
    site: ServerProcess, transactional_db: None, owner: User, path: str
) -> None:
    cookie = f"__Host-session={session_of(owner)}"
    for headers in (PROXIED, {**PROXIED, "Cookie": cookie}, {**PROXIED, "Accept": "application/json"}):
        response, _body = ask(site, path, headers)
        said = {name.lower(): value for name, value in response.getheaders()}
        policy = said["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "*" not in policy
        assert said["strict-transport-security"] == "max-age=63072000; includeSubDomains; preload"
        assert said["x-content-type-options"] == "nosniff"
        assert said["referrer-policy"] == "same-origin"
        assert said["x-frame-options"] == "DENY"
        assert said["cross-origin-opener-policy"] == "same-origin"
        assert said["cross-origin-resource-policy"] == "same-origin"
        assert "no-store" in said["cache-control"] or path in {"/sw.js"}
        assert "set-cookie" not in said or "no-store" in said["cache-control"]
        assert {"server", "x-powered-by", "access-control-allow-origin", "etag"}.isdisjoint(said)


def test_cookies_are_kept_to_this_host_and_to_tls(site: ServerProcess, transactional_db: None, owner: User) -> None:
    response, _token, _page = sign_in(site, owner.username, PASSWORD)
    assert response.status == 302
    cookies = {each.split("=")[0]: each for each in response.headers.get_all("Set-Cookie") or []}
    cookies.pop("messages", None)
    assert set(cookies) == {"__Host-session", "__Host-csrf"}
    for cookie in cookies.values():
        parts = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert {"secure", "samesite=lax", "path=/"} <= parts
        assert not any(part.startswith("domain") for part in parts)
    assert "httponly" in cookies["__Host-session"].lower()


def test_plain_http_is_led_to_tls(site: ServerProcess) -> None:
    response, _body = ask(site, "/rooms/?q=1", {**PROXIED, "X-Forwarded-Proto": "http"})
    assert (response.status, response.getheader("Location")) == (301, "https://chat.example.org/rooms/?q=1")


def test_debugging_is_off_and_nothing_of_the_checkout_is_served(site: ServerProcess) -> None:
    for path in ("/.git/config", "/static/../manage.py", "/static/%2e%2e/secret_key", "/static/js/app.js.map", "/x"):
        response, body = ask(site, path, PROXIED)
        assert response.status in {400, 404}
        assert b"DEBUG" not in body
        assert b"urlpatterns" not in body
    for path in ("/admin/doc/", "/__debug__/", "/media/"):
        assert ask(site, path, PROXIED)[0].status in {302, 404}


# Who is believed


def test_only_the_nearest_proxy_is_believed(site: ServerProcess, transactional_db: None, owner: User) -> None:
    """Whoever guesses passwords is one address, whatever they say of themselves before the proxy's own word."""
    claimed = [f"198.51.100.{number}, 203.0.113.99" for number in range(12)]
    for addresses, is_limited in ((claimed, True), ([f"203.0.113.{number + 100}" for number in range(12)], False)):
        pages = [sign_in(site, f"nobody{number}", "wrong", each)[2] for number, each in enumerate(addresses)]
        assert b"Too many" not in pages[0]
        assert (b"Too many" in pages[-1]) == is_limited
    assert sign_in(site, owner.username, PASSWORD)[0].status == 302


def test_with_no_proxy_no_forwarded_word_is_believed(server: ServerProcess) -> None:
    for headers in ({"X-Forwarded-Proto": "https"}, {"X-Forwarded-Host": "x.example"}, {"Forwarded": "host=x.example"}):
        response, _body = ask(server, "/rooms/", headers)
        assert response.status == 302
        assert "x.example" not in str(response.headers)


def test_other_sites_open_no_stream(server: ServerProcess, room: Room, owner: User) -> None:
    cookie = cookie_header(client_of(owner))
    path, host = f"/rooms/{room.slug}/stream/", f"127.0.0.1:{server.port}"
    good: list[dict[str, str]] = [{}, {"Sec-Fetch-Site": "same-origin"}, {"Origin": f"http://{host}"}]
    bad: list[dict[str, str]] = [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://x.example"},
        {"Origin": f"http://{host}.x.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
    ]
    for headers in good + bad:
        with nothing_happens():
            wire = http.client.HTTPConnection("127.0.0.1", server.port, timeout=WAIT_SECONDS)
            wire.request("GET", path, headers={"Accept": "text/event-stream", "Cookie": cookie, **headers})
            response = wire.getresponse()
            assert (headers, response.status) == (headers, 200 if headers in good else 403)
            wire.close()


def test_other_sites_change_nothing(server: ServerProcess, room: Room, owner: User) -> None:
    cookie = cookie_header(client_of(owner))
    for headers in ({"Origin": "https://x.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        for path in (f"/rooms/{room.slug}/messages/", f"/rooms/{room.slug}/archive/", "/accounts/logout/"):
            with nothing_happens():
                response, _body = ask(server, path, {"Cookie": cookie, **headers}, "POST", "text=x")
            assert response.status == 403


# What is written down


def test_logs_hold_no_secret(site: ServerProcess, transactional_db: None, room: Room, owner: User) -> None:
    """Also at DEBUG: no password, session, token or text, and no line that a client could have begun."""
    session, text = session_of(owner), "Canary Text of a message"
    message = MessageFactory.create(room=room, author=owner, text=text)
    _response, token, _page = sign_in(site, owner.username, "Canary+Password+wrong")
    sign_in(site, owner.username, PASSWORD)
    for path in (f"/rooms/{room.slug}/", f"/rooms/{room.slug}/messages/{message.pk}/edit/", "/setup/Canary-Token/"):
        ask(site, path, {**PROXIED, "Cookie": f"__Host-session={session}"})
    ask(site, "/x%0d%0a2026-01-01%20ERROR%20forged%1b[31m", {**PROXIED, "User-Agent": "forged"})
    ask(site, "/", {**PROXIED, "Host": "somebody-elses.example"})
    log = site.log()
    assert "somebody-elses.example" in log  # it says something at all
    for secret in (PASSWORD, PASSWORD.replace(" ", "+"), "Canary", session, token, settings.SECRET_KEY):
        assert secret not in log
    assert not any(line.startswith("2026-01-01 ERROR forged") for line in log.splitlines())
    assert "\x1b" not in log
