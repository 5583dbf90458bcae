"""Bans from the whole site: sessions and streams end, signing in is refused, and it can be taken back."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import site_bans
from accounts.audit import AuditEntry
from accounts.models import SiteBan, User
from rooms.models import Room
from tests.cast import nothing_happens
from tests.conftest import client_of, join
from tests.factories import PASSWORD, MessageFactory, UserFactory
from tests.server import ServerProcess
from tests.streams import EventStream

REVOKED_WITHIN = 2.0  # seconds


@pytest.fixture
def superuser(db: None) -> User:
    return UserFactory.create(username="super", is_staff=True, is_superuser=True)


def ban(user: User, actor: User, **terms: Any) -> SiteBan:
    return site_bans.ban_from_site(user, actor=actor, **{"reason": "Spam", "expires_at": None, **terms})


def signs_in(user: User) -> bool:
    client = Client()
    client.post(reverse("account_login"), {"login": user.username, "password": PASSWORD})
    return "_auth_user_id" in client.session


def test_banned_person_is_signed_out_and_can_not_sign_in_until_it_is_lifted(superuser: User, outsider: User) -> None:
    client = client_of(outsider)
    assert (client.get("/rooms/").status_code, signs_in(outsider)) == (200, True)
    made = ban(outsider, superuser)
    assert (client.get("/rooms/").status_code, signs_in(outsider)) == (302, False)
    site_bans.lift_site_ban(made, actor=superuser)
    assert signs_in(outsider)
    told = list(AuditEntry.objects.order_by("pk").values_list("action", "target_id", "detail"))
    assert told == [("site_banned", outsider.pk, "Spam"), ("site_unbanned", outsider.pk, "")]


def test_ban_that_has_run_out_is_lifted_and_no_other(superuser: User, outsider: User) -> None:
    now, other = timezone.now(), UserFactory.create()
    ban(outsider, superuser, expires_at=now - timedelta(seconds=1))
    ban(other, superuser, expires_at=now + timedelta(hours=1))
    closed = UserFactory.create(is_active=False)
    assert site_bans.lift_what_is_over() == 1
    active = {person.pk: person.is_active for person in User.objects.all()}
    assert [active[person.pk] for person in (outsider, other, closed)] == [True, False, False]


def test_account_that_was_closed_before_its_ban_is_closed_after_it(superuser: User, outsider: User) -> None:
    User.objects.filter(pk=outsider.pk).update(is_active=False)
    for reason in ("Spam", "More of it"):
        made = ban(outsider, superuser, reason=reason)
    site_bans.lift_site_ban(SiteBan.objects.get(pk=made.pk), actor=superuser)
    assert not User.objects.get(pk=outsider.pk).is_active
    assert not signs_in(outsider)


def test_account_that_is_opened_while_its_ban_stands_stays_open(superuser: User, outsider: User) -> None:
    User.objects.filter(pk=outsider.pk).update(is_active=False)
    made = ban(outsider, superuser)
    User.objects.filter(pk=outsider.pk).update(is_active=True)  # as the admin's form does
    site_bans.lift_site_ban(made, actor=superuser)
    assert signs_in(outsider)


def test_account_that_was_open_before_two_bans_is_open_after_them(superuser: User, outsider: User) -> None:
    for reason in ("Spam", "More of it"):
        made = ban(outsider, superuser, reason=reason)
    site_bans.lift_site_ban(SiteBan.objects.get(pk=made.pk), actor=superuser)
    assert signs_in(outsider)


def test_streams_of_a_banned_person_end(server: ServerProcess, room: Room, superuser: User, owner: User) -> None:
    member = join(room, "member")
    with EventStream(server, client_of(member), f"/rooms/{room.slug}/stream/") as stream:
        MessageFactory.create(room=room, author=owner)
        assert stream.next().event == "message_created"
        began = time.monotonic()
        ban(member, superuser)
        assert [event.event for event in stream.rest()] == ["revoked"]
        assert time.monotonic() - began < REVOKED_WITHIN


def test_nobody_bans_themselves_and_staff_no_staff(superuser: User, outsider: User) -> None:
    staff, other = UserFactory.create(is_staff=True), UserFactory.create(is_staff=True)
    with nothing_happens():
        for user, actor in ((superuser, superuser), (superuser, staff), (other, staff), (staff, staff)):
            with pytest.raises(ValidationError):
                ban(user, actor)
    assert ban(other, superuser).user == other


def test_admin_bans_and_lifts(superuser: User, outsider: User) -> None:
    client = client_of(superuser)
    add = reverse("admin:accounts_siteban_add")
    assert client.get(add).status_code == 200
    fields = {"user": outsider.pk, "reason": "Spam", "expires_at_0": "", "expires_at_1": ""}
    assert client.post(add, fields).status_code == 302
    assert not User.objects.get(pk=outsider.pk).is_active
    made = SiteBan.objects.get(user=outsider)
    assert client.post(reverse("admin:accounts_siteban_delete", args=[made.pk]), {"post": "yes"}).status_code == 302
    assert User.objects.get(pk=outsider.pk).is_active
    log = client.get(reverse("admin:accounts_auditentry_changelist"))
    assert (log.status_code, "Otto Outsider (@outsider)" in log.content.decode()) == (200, True)


def test_admin_pages_are_for_those_who_may(superuser: User, outsider: User) -> None:
    staff = UserFactory.create(is_staff=True)
    lists = [reverse(f"admin:{name}_changelist") for name in ("accounts_siteban", "accounts_auditentry")]
    assert [client_of(superuser).get(path).status_code for path in lists] == [200, 200]
    assert [client_of(staff).get(path).status_code for path in lists] == [403, 403]
    staff.user_permissions.add(Permission.objects.get(codename="change_user"))
    assert client_of(User.objects.get(pk=staff.pk)).get(lists[0]).status_code == 200


@pytest.mark.parametrize("page", ["add", "change", "delete"])
def test_audit_log_can_not_be_changed_in_the_admin(superuser: User, outsider: User, page: str) -> None:
    ban(outsider, superuser)
    entry = AuditEntry.objects.get()
    client = client_of(superuser)
    assert client.get(reverse("admin:accounts_auditentry_change", args=[entry.pk])).status_code == 200
    path = reverse(f"admin:accounts_auditentry_{page}", args=[] if page == "add" else [entry.pk])
    with nothing_happens():
        assert client.post(path, {"detail": "x", "post": "yes"}).status_code == 403
