"""What codes are made of is of no use to whoever has a copy of the database alone."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.db import connection
from django.test import Client

from accounts.actions import seal_factors
from accounts.models import User
from accounts.sealing import SealError, is_sealed, seal, unseal
from tests.accounts.test_mfa import STEP, code_of, set_up_app, signed_in_just_now
from tests.accounts.visitor import is_signed_in, sign_in
from tests.factories import PASSWORD, UserFactory

OTHER_KEY = "another secret key, made of fifty characters or more"


@pytest.fixture(autouse=True)
def codes_that_last(settings: Any) -> None:
    settings.MFA_TOTP_PERIOD = 2**30


@pytest.fixture
def ana(db: None) -> User:
    return UserFactory.create(username="ana")


def let_in(code: str) -> bool:
    browser = Client()
    sign_in(browser, "ana", PASSWORD)
    assert not is_signed_in(browser)
    browser.post(STEP, {"code": code})
    return is_signed_in(browser)


def rows() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(factor::text, ' ') FROM mfa_authenticator factor")
        return str(cursor.fetchone()[0])


def make_plain() -> None:
    """Have the secrets be as they were kept before they were sealed."""
    for factor in Authenticator.objects.all():
        factor.data = {name: unseal(value) if isinstance(value, str) else value for name, value in factor.data.items()}
        factor.save()


def test_sealed_text_is_read_with_its_key_only(settings: Any) -> None:
    first, second = seal("secret"), seal("secret")
    assert (unseal(first), unseal(second), first == second) == ("secret", "secret", False)
    assert ("secret" in first.removeprefix("sealed:"), is_sealed(first), is_sealed("secret")) == (False, True, False)
    assert unseal("never sealed") == "never sealed"
    old_key, settings.SECRET_KEY = settings.SECRET_KEY, OTHER_KEY
    with pytest.raises(SealError):
        unseal(first)
    settings.SECRET_KEY_FALLBACKS = [old_key]
    assert (unseal(first), is_sealed(first)) == ("secret", False)


@pytest.mark.parametrize("change", [lambda text: text[:-6] + "AAAAA=", lambda text: text[:30], lambda text: "sealed:"])
def test_sealed_text_that_was_changed_is_not_read(change: Any) -> None:
    with pytest.raises(SealError):
        unseal(change(seal("secret")))


def test_secrets_are_sealed_and_codes_work(ana: User) -> None:
    secret, codes = set_up_app(signed_in_just_now(Client()))
    seed = unseal(Authenticator.objects.get(type="recovery_codes").data["seed"])
    assert [each for each in (secret, seed, *codes) if each in rows()] == []
    assert rows().count("sealed:") == 2
    assert (let_in(code_of(secret)), let_in(codes[0])) == (True, True)
    make_plain()
    assert (secret in rows(), seed in rows()) == (True, True)  # where they would have been found


def test_what_was_kept_before_is_read_and_then_sealed(ana: User) -> None:
    secret, codes = set_up_app(signed_in_just_now(Client()))
    make_plain()
    assert let_in(codes[0])
    assert (seal_factors(), seal_factors()) == (2, 0)
    assert secret not in rows()
    assert (let_in(code_of(secret)), let_in(codes[0]), let_in(codes[1])) == (True, False, True)


def test_codes_that_came_from_elsewhere_are_sealed_too(ana: User) -> None:
    codes = Authenticator.objects.create(user=ana, type="recovery_codes", data={"migrated_codes": ["one", "two"]})
    assert seal_factors() == 1
    codes.refresh_from_db()
    assert [unseal(code) for code in codes.data["migrated_codes"]] == ["one", "two"]
    assert [is_sealed(code) for code in codes.data["migrated_codes"]] == [True, True]


def test_another_secret_key_takes_over_what_the_old_one_sealed(ana: User, settings: Any) -> None:
    secret, _codes = set_up_app(signed_in_just_now(Client()))
    old_key, settings.SECRET_KEY = settings.SECRET_KEY, OTHER_KEY
    settings.SECRET_KEY_FALLBACKS = [old_key]
    assert seal_factors() == 2
    settings.SECRET_KEY_FALLBACKS = []
    assert (seal_factors(), let_in(code_of(secret))) == (0, True)


def test_secret_of_a_lost_key_lets_nobody_in_and_is_kept(
    ana: User, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    secret, codes = set_up_app(signed_in_just_now(Client()))
    old_key, settings.SECRET_KEY = settings.SECRET_KEY, OTHER_KEY
    before = rows()
    assert (seal_factors(), rows()) == (0, before)
    with caplog.at_level(logging.ERROR, "accounts.mfa"):
        assert [let_in(code) for code in (code_of(secret), code_of("A" * 32), codes[0])] == [False] * 3
    assert "SECRET_KEY_FALLBACKS" in caplog.text
    settings.SECRET_KEY_FALLBACKS = [old_key]
    assert let_in(codes[0])
    assert TOTP(Authenticator.objects.get(type="totp")).validate_code(code_of(secret))
