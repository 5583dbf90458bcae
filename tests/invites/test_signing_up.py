from __future__ import annotations

from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse

from accounts.models import User
from invites.actions import revoke_invite
from rooms.models import Room
from tests.accounts.visitor import DIRECTORY, is_signed_in, link_in, sign_in, sign_up
from tests.factories import PASSWORD, UserFactory
from tests.invites.making import HELD, invited

SIGNUP = reverse("account_signup")


@pytest.fixture
def invite_only(settings: Any) -> None:
    settings.SIGNUP = "invite"


def is_open(browser: Client) -> bool:
    return b"Create your account" in browser.get(SIGNUP).content


def test_without_an_invitation_nobody_signs_up(invite_only: None, db: None) -> None:
    browser = Client()
    assert not is_open(browser)
    sign_up(browser)
    assert User.objects.count() == 0


def test_new_person_comes_in_by_an_invitation(invite_only: None, private_room: Room, owner: User) -> None:
    invite, path = invited(private_room, by=owner, max_uses=1)
    browser = Client()

    response = browser.post(path, {"then": "signup"})
    room_path = reverse("messaging:room", args=[private_room.slug])
    assert response["Location"] == f"{SIGNUP}?next={room_path}"
    assert is_open(browser)
    response = sign_up(browser, next=room_path)

    assert response["Location"] == room_path
    assert browser.get(room_path).status_code == 200
    invite.refresh_from_db()
    assert invite.uses == 1
    assert not is_open(Client())
    other = Client()
    assert other.post(path, {"then": "signup"}).status_code == 404


def test_invitation_to_the_site_leads_to_no_room(invite_only: None, owner: User) -> None:
    invite, path = invited(by=owner)
    browser = Client()
    browser.post(path, {"then": "signup"})
    assert sign_up(browser)["Location"] == DIRECTORY
    assert is_signed_in(browser)
    invite.refresh_from_db()
    assert invite.uses == 1
    # Whoever is here already has nothing from it.
    assert browser.post(path)["Location"] == DIRECTORY
    invite.refresh_from_db()
    assert invite.uses == 1


def test_invitation_that_ends_meanwhile_makes_no_account(invite_only: None, private_room: Room, owner: User) -> None:
    invite, path = invited(private_room, by=owner)
    browser = Client()
    browser.post(path, {"then": "signup"})
    revoke_invite(invite)
    sign_up(browser)
    assert list(User.objects.values_list("username", flat=True)) == ["owner"]


def test_where_everybody_may_sign_up_an_ended_invitation_does_not_hinder(
    private_room: Room, owner: User, settings: Any
) -> None:
    invite, path = invited(private_room, by=owner)
    browser = Client()
    browser.post(path, {"then": "signup"})
    revoke_invite(invite)
    sign_up(browser)
    assert is_signed_in(browser)
    assert private_room.memberships.count() == 1


def test_person_with_an_account_signs_in_and_then_accepts(invite_only: None, private_room: Room, owner: User) -> None:
    UserFactory.create(username="ana", email="ana@example.org")
    _invite, path = invited(private_room, by=owner)
    browser = Client()
    response = browser.post(path, {"then": "login"})
    assert response["Location"] == f"{reverse('account_login')}?next={HELD}"
    assert sign_in(browser, "ana", PASSWORD, next=HELD)["Location"] == HELD
    assert b"Vault" in browser.get(HELD).content
    assert private_room.memberships.count() == 1
    assert browser.post(HELD)["Location"] == reverse("messaging:room", args=[private_room.slug])
    assert private_room.memberships.filter(user__username="ana").exists()
    assert browser.get(HELD).status_code == 404
    assert Client().get(HELD).status_code == 404


def test_only_staff_let_people_in_where_that_is_said(
    invite_only: None, private_room: Room, owner: User, settings: Any
) -> None:
    _invite, path = invited(private_room, by=owner)
    settings.INVITERS = "staff"
    browser = Client()
    browser.post(path, {"then": "signup"})
    assert not is_open(browser)
    assert b"Create an account" not in browser.get(path).content
    User.objects.filter(pk=owner.pk).update(is_staff=True)
    assert is_open(browser)
    _invite, to_site = invited(by=owner)
    assert browser.get(to_site).status_code == 200
    User.objects.filter(pk=owner.pk).update(is_staff=False)
    assert browser.get(to_site).status_code == 404


def test_closed_site_takes_nobody_in(private_room: Room, owner: User, settings: Any) -> None:
    (_room_invite, to_room), (_site_invite, to_site) = invited(private_room, by=owner), invited(by=owner)
    settings.SIGNUP = "closed"
    browser = Client()
    assert (browser.get(to_room).status_code, browser.get(to_site).status_code) == (200, 404)
    browser.post(to_room, {"then": "signup"})
    sign_up(browser)
    assert list(User.objects.values_list("username", flat=True)) == ["owner"]


def test_invited_person_confirms_the_address_first(
    invite_only: None, confirmed_addresses: None, private_room: Room, owner: User, mailoutbox: list[EmailMessage]
) -> None:
    _invite, path = invited(private_room, by=owner)
    browser = Client()
    browser.post(path, {"then": "signup"})
    sign_up(browser)
    assert not is_signed_in(browser)
    browser.post(link_in(mailoutbox[0]))
    sign_in(browser, "nora", "seven green bicycles")
    assert browser.get(reverse("messaging:room", args=[private_room.slug])).status_code == 200


def test_invitation_does_not_tell_who_is_here(
    invite_only: None, confirmed_addresses: None, private_room: Room, owner: User, mailoutbox: list[EmailMessage]
) -> None:
    answers = []
    for email in ("owner@example.org", "nobody@example.org"):
        _invite, path = invited(private_room, by=owner)
        browser = Client()
        browser.post(path, {"then": "signup"})
        response = sign_up(browser, email=email, username="somebody")
        answers.append((response.status_code, response["Location"]))
    assert answers[0] == answers[1]
    assert len(mailoutbox) == 2


@pytest.fixture
def confirmed_addresses(settings: Any) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    settings.EMAIL_HOST = "mail.example.org"
