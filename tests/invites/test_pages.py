from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings as configured
from django.core.mail import EmailMessage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.formats import date_format

from accounts.models import User
from invites.models import Invite
from rooms.models import Membership, Room
from tests.accounts.test_pages import assert_well_made
from tests.bad_input import BROKEN, GOOD, REVERSED
from tests.cast import nothing_happens
from tests.conftest import client_of, join
from tests.factories import RoomFactory, UserFactory
from tests.invites.making import LIST, invited, make, path_shown


def test_invitation_is_made_and_its_link_is_shown_once(private_room: Room, owner: User, outsider: User) -> None:
    browser = client_of(owner)
    response = make(browser, private_room, label="For Otto", max_uses="5", lasts="day")

    assert response.status_code == 200
    assert_well_made(response.content.decode())
    assert response.context["picture"].startswith("data:image/svg+xml")
    invite = Invite.objects.get()
    assert (invite.label, invite.max_uses, invite.maker, invite.is_for_site) == ("For Otto", 5, owner, False)
    assert f"good until {date_format(invite.expires_at, 'DATETIME_FORMAT')}" in response.content.decode()
    assert (invite.expires_at - invite.created_at).total_seconds() == 24 * 3600
    assert client_of(outsider).post(path_shown(response)).status_code == 302
    page = browser.get(LIST).content.decode()
    assert "For Otto" in page
    assert "used 1 of 5 times" in page
    assert path_shown(response) not in page
    assert_well_made(page)


def test_picture_is_of_the_link_at_the_configured_address(room: Room, owner: User, settings: Any) -> None:
    settings.SITE_URL = "https://chat.example.org"
    assert make(client_of(owner), room).context["link"].startswith("https://chat.example.org/invite/")


def test_rooms_are_offered_to_those_who_run_them(private_room: Room) -> None:
    offered = {}
    for username, role in (("moderator", Membership.Role.MODERATOR), ("member", Membership.Role.MEMBER)):
        browser = client_of(join(private_room, username, role))
        offered[username] = "Vault" in browser.get(LIST).content.decode().partition("<main")[2]
        with_it = make(browser, private_room)
        assert with_it.status_code == (200 if offered[username] else 400)
    assert offered == {"moderator": True, "member": False}
    assert Invite.objects.count() == 1


@pytest.mark.parametrize("inviters", ["members", "staff"])
def test_site_is_offered_to_whoever_may_invite_to_it(outsider: User, settings: Any, inviters: str) -> None:
    settings.SIGNUP, settings.INVITERS = "invite", inviters
    answers = []
    for is_staff in (False, True):
        User.objects.filter(pk=outsider.pk).update(is_staff=is_staff)
        answers.append(make(client_of(outsider)).status_code)
    assert answers == [400 if inviters == "staff" else 200, 200]


@pytest.mark.parametrize(
    "changes",
    [
        {"max_uses": "0"},
        {"max_uses": "-1"},
        {"max_uses": "1000000"},
        {"max_uses": ""},
        {"lasts": "year"},
        {"lasts": ""},
        {"rooms": "0"},
        {"rooms": "x"},
        {"label": "x" * (configured.INVITE_LABEL_MAX + 1)},
        *({"label": text} for text in [*BROKEN.values(), *REVERSED.values()]),
    ],
)
def test_bad_wishes_are_refused(room: Room, owner: User, changes: dict[str, str]) -> None:
    browser = client_of(owner)
    with nothing_happens():
        assert make(browser, room, **changes).status_code == 400
    assert Invite.objects.count() == 0
    assert browser.post(LIST, changes, headers={"Accept": "application/json"}).json()["errors"]


def test_labels_are_kept_and_shown_as_text(room: Room, owner: User) -> None:
    browser = client_of(owner)
    labels = ["x" * configured.INVITE_LABEL_MAX, "<script>alert(1)</script>", *GOOD.values()]
    for label in labels:
        Invite.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM limits")
        assert make(browser, room, label=label).status_code == 200
        assert Invite.objects.get().label == label
        assert "<script>alert" not in browser.get(LIST).content.decode()


def test_so_many_a_day(room: Room, owner: User) -> None:
    browser = client_of(owner)
    answers = [make(browser, room) for _ in range(configured.INVITES_PER_DAY + 1)]
    assert [answer.status_code for answer in answers] == [200] * configured.INVITES_PER_DAY + [429]
    assert 0 < int(answers[-1]["Retry-After"]) <= 24 * 3600
    assert Invite.objects.count() == configured.INVITES_PER_DAY


def test_revoked_link_is_good_no_more(room: Room, owner: User) -> None:
    invite, path = invited(room, by=owner)
    assert Client().get(path).status_code == 200
    for _again in range(2):
        assert client_of(owner).post(reverse("invites:revoke", args=[invite.pk]))["Location"] == LIST
    assert Client().get(path).status_code == 404
    assert "revoked" in client_of(owner).get(LIST).content.decode()


def test_invitation_is_revoked_by_its_maker_and_by_owners_of_its_rooms_only(private_room: Room, owner: User) -> None:
    maker = join(private_room, "maker", Membership.Role.MODERATOR)
    elsewhere = RoomFactory.create(name="Secret elsewhere", kind=Room.Kind.PRIVATE, actor=maker)
    invite, _path = invited(private_room, elsewhere, by=maker)
    path = reverse("invites:revoke", args=[invite.pk])
    others = [join(private_room, "moderator2", Membership.Role.MODERATOR), UserFactory.create(is_superuser=True)]
    for other in others:
        browser = client_of(other)
        with nothing_happens():
            assert browser.post(path).status_code == 404
        assert path not in client_of(other).get(LIST).content.decode()
    for person in (maker, owner):
        page = client_of(person).get(LIST).content.decode()
        assert path in page
        assert ("Secret elsewhere" in page) is (person is maker)
        assert client_of(person).get(path).status_code == 405
    client_of(owner).post(path)
    invite.refresh_from_db()
    assert invite.revoked_at


@pytest.mark.parametrize("method", ["get", "post"])
def test_signed_out_people_make_none(db: None, method: str) -> None:
    assert getattr(Client(), method)(LIST)["Location"] == f"/accounts/login/?next={LIST}"
    assert getattr(Client(), method)(LIST, headers={"Accept": "application/json"}).status_code == 401


@pytest.mark.parametrize("number", [1, 3])
def test_list_takes_as_many_questions_for_any_number(room: Room, owner: User, number: int) -> None:
    for _ in range(number):
        invited(room, by=owner)
    browser = client_of(owner)
    browser.get(LIST)
    with CaptureQueriesContext(connection) as queries:
        browser.get(LIST)
    assert len(queries) == 7


@pytest.fixture
def mail_server(settings: Any) -> None:
    settings.EMAIL_HOST = "mail.example.org"


def test_invitation_is_mailed_for_one_person(
    mail_server: None, private_room: Room, owner: User, mailoutbox: list[EmailMessage]
) -> None:
    answers = []
    for email in ("owner@example.org", "nobody@example.org"):
        response = make(client_of(owner), private_room, email=email, max_uses="100")
        answers.append((response.status_code, len(response.content.replace(email.encode(), b"")) // 1000))
    assert answers[0] == answers[1]
    assert [mail.to for mail in mailoutbox] == [["owner@example.org"], ["nobody@example.org"]]
    mail = mailoutbox[1]
    assert mail.subject == "Olga Owner invites you to Earshot"
    assert path_shown(response) in str(mail.body)
    assert "Vault" not in str(mail.body)
    assert set(Invite.objects.values_list("max_uses", flat=True)) == {1}


def test_invitation_that_can_not_be_mailed_is_taken_back(room: Room, owner: User, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert make(client_of(owner), room, email="nobody@example.org").status_code == 503
    assert Invite.objects.get().revoked_at


def test_invitations_are_well_made_pages(room: Room, owner: User) -> None:
    _invite, path = invited(room, by=owner)
    for browser in (Client(), client_of(owner)):
        assert_well_made(browser.get(path).content.decode())
    assert_well_made(client_of(owner).get(f"{LIST}?room={room.slug}").content.decode())


def test_staff_see_and_revoke_all(room: Room, owner: User) -> None:
    (invite, path), (ended, _path) = invited(room, by=owner), invited(by=owner)
    Invite.objects.filter(pk=ended.pk).update(label="<b>Ended</b>", revoked_at="2026-01-01T00:00:00Z")
    staff = client_of(UserFactory.create(is_staff=True, is_superuser=True))
    listing = reverse("admin:invites_invite_changelist")
    assert "&lt;b&gt;Ended" in staff.get(listing).content.decode()
    assert staff.get(reverse("admin:invites_invite_change", args=[invite.pk])).status_code == 200
    assert staff.get(reverse("admin:invites_invite_add")).status_code == 403
    staff.post(listing, {"action": "revoke", "_selected_action": [invite.pk, ended.pk]})
    assert Client().get(path).status_code == 404
    assert client_of(owner).get(listing).status_code == 302
