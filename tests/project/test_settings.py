from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from project import env, secret_key
from project.env import ConfigurationError

TOP = Path(__file__).resolve().parents[2]
SECONDS = 60
KEY = "for-the-tests-only-7Hq2vZ9xW4nB6tR8yK1mP5sD3fG0jL-and-more"
PRODUCTION = {
    "DATABASE_URL": "postgresql://earshot:pass%40word@db.example:5433/chat?sslmode=require",
    "SECRET_KEY": KEY,
    "SITE_URL": "https://chat.example.org/",
    "EMAIL_HOST": "mail.example.org",
    "TRUSTED_PROXIES": "1",
}
SHOWN = (
    *("DEBUG", "EMBEDDED_POSTGRES", "ALLOWED_HOSTS", "SECRET_KEY", "SITE_URL", "CSRF_TRUSTED_ORIGINS"),
    *("SESSION_COOKIE_NAME", "SESSION_COOKIE_SECURE", "SESSION_COOKIE_HTTPONLY", "SESSION_COOKIE_SAMESITE"),
    *("CSRF_COOKIE_NAME", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS", "X_FRAME_OPTIONS"),
    *("SECURE_PROXY_SSL_HEADER", "ACCOUNT_EMAIL_VERIFICATION", "EMAIL_BACKEND", "EMAIL_USE_TLS", "DATABASES"),
    *("ACCOUNT_DEFAULT_HTTP_PROTOCOL", "CONTENT_SECURITY_POLICY", "DATA_DIR", "LOGGING"),
)


def python(code: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=TOP,
        env=environment | variables,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def settings_with(tmp_path: Path, **variables: str) -> dict[str, object]:
    code = f"""
import json
from project import settings
print(json.dumps({{name: getattr(settings, name) for name in {SHOWN}}}, default=str))
"""
    done = python(code, {"EARSHOT_DATA": str(tmp_path), **variables})
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


# Reading the environment


def test_text_is_trimmed_and_falls_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X_TEXT", "  a b ")
    assert env.text("X_TEXT") == "a b"
    monkeypatch.setenv("X_TEXT", "  ")
    assert env.text("X_TEXT", "default") == "default"
    monkeypatch.delenv("X_TEXT")
    assert env.text("X_TEXT", "") == ""
    with pytest.raises(ConfigurationError, match=r"^X_TEXT must be set"):
        env.text("X_TEXT")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1", True),
        ("TRUE", True),
        ("Yes", True),
        ("on", True),
        ("0", False),
        ("false", False),
        ("no", False),
        ("", True),
    ],
)
def test_boolean(monkeypatch: pytest.MonkeyPatch, value: str, expected: bool) -> None:
    monkeypatch.setenv("X_FLAG", value)
    assert env.boolean("X_FLAG", True) is expected


@pytest.mark.parametrize(("value", "expected"), [("5", 5), ("", 7), (" 9 ", 9), ("2", 2)])
def test_integer(monkeypatch: pytest.MonkeyPatch, value: str, expected: int) -> None:
    monkeypatch.setenv("X_NUMBER", value)
    assert env.integer("X_NUMBER", 7, minimum=2) == expected


def test_words_and_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X_WORDS", " a, ,b,")
    assert env.words("X_WORDS") == ["a", "b"]
    monkeypatch.delenv("X_WORDS")
    assert env.words("X_WORDS") == []
    monkeypatch.setenv("X_CHOICE", "b")
    assert env.choice("X_CHOICE", "a", ("a", "b")) == "b"


def test_every_reader_names_the_variable_that_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X_WRONG", "wrong")
    for read in (
        lambda: env.boolean("X_WRONG", False),
        lambda: env.integer("X_WRONG", 1),
        lambda: env.choice("X_WRONG", "a", ("a", "b")),
    ):
        with pytest.raises(ConfigurationError, match=r"^X_WRONG must be .*'wrong'\.$"):
            read()
    monkeypatch.setenv("X_WRONG", "-1")
    with pytest.raises(ConfigurationError, match=r"^X_WRONG must be at least 0, not -1\.$"):
        env.integer("X_WRONG", 1)


# The secret key


def test_secret_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    key = secret_key.kept_in(tmp_path / "data")
    path = tmp_path / "data" / "secret_key"
    assert secret_key.kept_in(tmp_path / "data") == key == path.read_text()
    assert len(key) >= 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["secret_key"]
    assert secret_key.kept_in(tmp_path / "other") != key


def test_processes_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    code = (
        f"from pathlib import Path; from project import secret_key; print(secret_key.kept_in(Path({str(tmp_path)!r})))"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code], cwd=TOP, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    keys = {process.communicate(timeout=SECONDS)[0] for process in started}
    assert len(keys) == 1
    assert len(keys.pop().strip()) >= 64


def test_damaged_secret_key_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("short\n")
    with pytest.raises(ConfigurationError, match="secret_key is damaged"):
        secret_key.kept_in(tmp_path)


def test_secret_key_that_cannot_be_kept_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(ConfigurationError, match=r"The secret key can't be kept in .*secret_key: .*\.$"):
        secret_key.kept_in(tmp_path / "data")


def test_secret_key_is_made_once_the_full_disk_has_room_again(tmp_path: Path) -> None:
    """Nothing is left of it meanwhile. The same process may try again, as in a container that has only the one."""
    code = f"""
import resource
from pathlib import Path
from project import env, secret_key

for most in (0, resource.RLIM_INFINITY):
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
    try:
        secret_key.kept_in(Path({str(tmp_path)!r}))
    except env.ConfigurationError as error:
        print(error)
"""
    done = python(code, {})
    complaint = f"The secret key can't be kept in {tmp_path}/secret_key: File too large.\n"
    assert (done.stdout, done.stderr) == (complaint, "")
    assert [each.name for each in tmp_path.iterdir()] == ["secret_key"]


# The settings of a process of its own


def test_settings_for_trying_out(tmp_path: Path) -> None:
    found = settings_with(tmp_path)
    assert found["EMBEDDED_POSTGRES"] is True
    assert found["DEBUG"] is False
    assert found["SECRET_KEY"] == (tmp_path / "secret_key").read_text()
    assert found["ALLOWED_HOSTS"] == ["localhost", "127.0.0.1", "[::1]"]
    assert (found["SESSION_COOKIE_SECURE"], found["SECURE_SSL_REDIRECT"]) == (False, False)
    assert found["ACCOUNT_EMAIL_VERIFICATION"] == "none"
    assert found["EMAIL_BACKEND"] == "django.core.mail.backends.filebased.EmailBackend"
    assert found["SECURE_PROXY_SSL_HEADER"] is None


def test_settings_in_production(tmp_path: Path) -> None:
    found = settings_with(tmp_path, **PRODUCTION)
    assert (found["DEBUG"], found["EMBEDDED_POSTGRES"]) == (False, False)
    assert (found["SECRET_KEY"], found["SITE_URL"]) == (KEY, "https://chat.example.org")
    assert not (tmp_path / "secret_key").exists()
    assert found["ALLOWED_HOSTS"] == ["chat.example.org", "localhost", "127.0.0.1", "[::1]"]
    assert found["CSRF_TRUSTED_ORIGINS"] == ["https://chat.example.org"]
    assert (found["SESSION_COOKIE_NAME"], found["CSRF_COOKIE_NAME"]) == ("__Host-session", "__Host-csrf")
    assert found["SESSION_COOKIE_SECURE"] is found["CSRF_COOKIE_SECURE"] is found["SESSION_COOKIE_HTTPONLY"] is True
    assert (found["SESSION_COOKIE_SAMESITE"], found["X_FRAME_OPTIONS"]) == ("Lax", "DENY")
    assert (found["SECURE_SSL_REDIRECT"], found["SECURE_HSTS_SECONDS"]) == (True, 63_072_000)
    assert found["SECURE_PROXY_SSL_HEADER"] == ["HTTP_X_FORWARDED_PROTO", "https"]
    assert found["ACCOUNT_EMAIL_VERIFICATION"] == "mandatory"
    assert found["ACCOUNT_DEFAULT_HTTP_PROTOCOL"] == "https"
    assert "unsafe" not in json.dumps(found["CONTENT_SECURITY_POLICY"])
    database = found["DATABASES"]["default"]  # type: ignore[index]  # read from JSON
    assert [database[name] for name in ("USER", "PASSWORD", "HOST", "PORT", "NAME")] == [
        "earshot",
        "pass@word",
        "db.example",
        "5433",
        "chat",
    ]
    assert database["OPTIONS"]["sslmode"] == "require"
    assert database["CONN_MAX_AGE"] == 0
    assert "synchronous_commit" not in database["OPTIONS"]["options"]


def test_options_of_the_database_address_come_after_our_own(tmp_path: Path) -> None:
    url = "postgresql://db.example/chat?options=-c%20statement_timeout%3D9s%20-c%20search_path%3Dchat"
    plain, found = (
        settings_with(tmp_path, **(PRODUCTION | {"DATABASE_URL": address}))["DATABASES"]
        for address in (PRODUCTION["DATABASE_URL"], url)
    )
    ours = plain["default"]["OPTIONS"]["options"]  # type: ignore[index]  # of JSON
    theirs = found["default"]["OPTIONS"]["options"]  # type: ignore[index]  # of JSON
    assert theirs == f"{ours} -c statement_timeout=9s -c search_path=chat"


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"DATABASE_URL": "postgresql://localhost/x"}, "SECRET_KEY must be set; .env.example says what it is."),
        ({"DATABASE_URL": "nonsense", "SECRET_KEY": KEY}, "DATABASE_URL must be an address like"),
        ({"SITE_URL": "chat.example.org"}, "SITE_URL must be an address like https://chat.example.org."),
        ({"SITE_URL": "https://chat.example.org"}, "TRUSTED_PROXIES must be at least 1"),
        ({"DEBUG": "perhaps"}, "DEBUG must be yes or no, not 'perhaps'."),
        ({"DATABASE_POOL": "1"}, "DATABASE_POOL must be at least 2, not 1."),
        ({"SIGNUP": "maybe"}, "SIGNUP must be one of open"),
        ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL must be one of"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_wrong_setting_is_said_in_one_sentence(tmp_path: Path, variables: dict[str, str], sentence: str) -> None:
    code = "import manage, sys; sys.argv = ['manage.py', 'check']; sys.exit(manage.main())"
    done = python(code, {"EARSHOT_DATA": str(tmp_path), **variables})
    assert done.returncode == 1
    assert done.stderr.startswith(sentence)
    assert len(done.stderr.strip().splitlines()) == 1
    assert KEY not in done.stderr


def test_every_variable_is_in_the_example_and_no_other() -> None:
    example = {
        line.lstrip("#").partition("=")[0]
        for line in (TOP / ".env.example").read_text().splitlines()
        if line.lstrip("#").partition("=")[0].isidentifier() and "=" in line
    }
    source = "\n".join((TOP / "project" / name).read_text() for name in ("settings.py", "embedded.py"))
    read = set(re.findall(r"env\.(?:text|boolean|integer|words|choice)\(\s*\"([A-Z_]+)\"", source))
    assert read == example
