from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import actions
from accounts.models import Device, Revocation, User
from accounts.sessions import SignIn, clear_ended, end_sessions_of, still_signed_in
from tests.accounts.visitor import is_signed_in, sign_in
from tests.factories import PASSWORD, UserFactory


@pytest.fixture
def otto(db: None) -> User:
    return UserFactory.create(username="otto")


def pair(browser: Client, user: User) -> SignIn:
    return user.pk, str(browser.session.session_key)


def session_of(user: User) -> tuple[Client, SignIn]:
    browser = Client()
    browser.force_login(user)
    return browser, pair(browser, user)


def test_signed_in_people_are_recognised(ana: User, otto: User) -> None:
    sessions = [session_of(ana)[1], session_of(ana)[1], session_of(otto)[1]]

    assert still_signed_in(sessions) == set(sessions)


def test_a_session_counts_for_its_own_person_only(ana: User, otto: User) -> None:
    _, (_, key) = session_of(ana)

    assert still_signed_in([(ana.pk, key), (otto.pk, key), (ana.pk, ""), (ana.pk, "nosuchkey"), (2**62, key)]) == {
        (ana.pk, key)
    }


def test_signed_out_session_is_over(ana: User) -> None:
    browser, gone = session_of(ana)
    _, stays = session_of(ana)
    assert still_signed_in([gone, stays]) == {gone, stays}

    browser.post(reverse("account_logout"))

    assert still_signed_in([gone, stays]) == {stays}


def test_password_change_ends_all_sessions_but_the_one_it_was_made_in(browser: Client, ana: User) -> None:
    sign_in(browser, "ana", PASSWORD)
    _, elsewhere = session_of(ana)
    before = pair(browser, ana)
    data = {"oldpassword": PASSWORD, "password1": "nine purple umbrellas", "password2": "nine purple umbrellas"}

    browser.post(reverse("account_change_password"), data)

    assert still_signed_in([before, elsewhere, pair(browser, ana)]) == {pair(browser, ana)}


def test_deactivated_people_are_out(ana: User, otto: User) -> None:
    sessions = [session_of(ana)[1], session_of(otto)[1]]

    User.objects.filter(pk=ana.pk).update(is_active=False)

    assert still_signed_in(sessions) == {sessions[1]}


def test_expired_and_tampered_sessions_are_over(ana: User) -> None:
    _, expired = session_of(ana)
    _, tampered = session_of(ana)
    _, stays = session_of(ana)
    Session.objects.filter(session_key=expired[1]).update(expire_date=timezone.now() - timedelta(seconds=1))
    Session.objects.filter(session_key=tampered[1]).update(session_data="x:y:z")

    assert still_signed_in([expired, tampered, stays]) == {stays}


def test_sessions_of_a_retired_secret_key_count_while_it_is_a_fallback(ana: User, settings: Any) -> None:
    _, session = session_of(ana)
    old_key, settings.SECRET_KEY = settings.SECRET_KEY, "another secret key, made of fifty characters or more"

    assert still_signed_in([session]) == set()

    settings.SECRET_KEY_FALLBACKS = [old_key]
    assert still_signed_in([session]) == {session}


@pytest.mark.parametrize("count", [1, 3])
def test_the_number_of_queries_does_not_grow(ana: User, otto: User, count: int, django_assert_num_queries: Any) -> None:
    sessions = [session_of(user)[1] for user in (ana, otto) for _ in range(count)]

    with django_assert_num_queries(2):
        assert still_signed_in(sessions) == set(sessions)


def test_ending_sessions_ends_those_of_the_named_people_only(ana: User, otto: User) -> None:
    hers = [session_of(ana), session_of(ana)]
    his, _ = session_of(otto)

    assert end_sessions_of([ana]) == 2

    assert [is_signed_in(browser) for browser, _ in hers] == [False, False]
    assert is_signed_in(his)


def test_signing_out_everywhere_works_for_many(ana: User, otto: User) -> None:
    browsers = [session_of(user)[0] for user in (ana, ana, otto)]
    assert all(map(is_signed_in, browsers))

    actions.sign_out_everywhere([ana, otto])

    assert not any(map(is_signed_in, browsers))


def test_sessions_that_have_run_out_are_cleared_with_what_was_noted(ana: User) -> None:
    (_, (_, ended)), (_, (_, live)) = session_of(ana), session_of(ana)
    for key in (ended, live):
        Device.objects.create(session_id=key, user=ana, browser="", system="", network="", seen_at=timezone.now())
    Session.objects.filter(session_key=ended).update(expire_date=timezone.now() - timedelta(seconds=1))
    before = Revocation.objects.count()
    clear_ended()
    assert list(Session.objects.values_list("session_key", flat=True)) == [live]
    assert list(Device.objects.values_list("session_id", flat=True)) == [live]
    assert Revocation.objects.count() == before, "nobody was signed out by that"
