from __future__ import annotations

import re
import time
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.agents import browser_and_system, coarse
from accounts.devices import write_down
from accounts.models import Device, User
from tests.accounts.test_pages import assert_well_made
from tests.accounts.visitor import PROFILE, is_signed_in, sign_in
from tests.conftest import client_of, join
from tests.factories import PASSWORD, RoomFactory, UserFactory
from tests.server import ServerProcess
from tests.streams import EventStream

DEVICES = reverse("accounts:devices")
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)
END_SECONDS = 2.0


@pytest.fixture(autouse=True)
def nothing_noted(db: None) -> None:
    write_down()
    Device.objects.all().delete()


def with_agent(user: User, agent: str, address: str = "203.0.113.77") -> Client:
    browser = client_of(user)
    browser.defaults |= {"HTTP_USER_AGENT": agent, "REMOTE_ADDR": address}
    browser.get(PROFILE)
    return browser


def listed(browser: Client) -> list[str]:
    page = browser.get(DEVICES).content.decode()
    return re.findall(r'member-row__name">\s*<p>([^<]*)</p>', page)


def path_to_end(browser: Client, of: Client) -> str:
    browser.get(DEVICES)
    return reverse("accounts:device_end", args=[Device.objects.get(session_id=of.session.session_key).pk])


@pytest.mark.parametrize(
    ("agent", "names"),
    [
        (FIREFOX, ("Firefox", "Linux")),
        (IPHONE, ("Safari", "iPhone")),
        (CHROME, ("Chrome", "Windows")),
        (CHROME + " Edg/142.0.0.0", ("Edge", "Windows")),
        ("", ("", "")),
        ("<script>" + "x" * 5_000, ("", "")),
        ("Chrom\x00e/", ("", "")),
    ],
)
def test_browsers_are_known_by_their_names(agent: str, names: tuple[str, str]) -> None:
    assert browser_and_system(agent) == names


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.x"),
        ("::ffff:203.0.113.77", "203.0.113.x"),
        ("2001:db8:1:2::77", "2001:db8:1::/48"),
        ("::1", "::/48"),
    ],
)
def test_addresses_are_kept_coarsely(address: str, network: str) -> None:
    assert coarse(address) == network


def test_person_sees_where_they_are_signed_in(ana: User) -> None:
    with_agent(UserFactory.create(), CHROME)
    with_agent(ana, FIREFOX, "2001:db8:1:2::77")
    browser = with_agent(ana, IPHONE)
    assert listed(browser) == ["Safari · iPhone", "Firefox · Linux"]
    page = browser.get(DEVICES).content.decode()
    assert_well_made(page)
    assert page.count("this device") == 1
    assert "203.0.113.x" in page
    assert "203.0.113.77" not in page
    keys = Session.objects.values_list("session_key", flat=True)
    assert [key for key in keys if key in page] == []


def test_device_is_seen_again(ana: User) -> None:
    browser = with_agent(ana, FIREFOX)
    write_down()
    long_ago = timezone.now() - timedelta(days=3)
    Device.objects.update(created_at=long_ago, seen_at=long_ago)
    browser.get(PROFILE)
    write_down()
    device = Device.objects.get()
    assert (device.created_at, device.seen_at > long_ago) == (long_ago, True)


def test_ended_device_is_signed_out(ana: User) -> None:
    lost, browser = with_agent(ana, FIREFOX), with_agent(ana, IPHONE)
    path = path_to_end(browser, lost)
    assert is_signed_in(lost)
    assert browser.post(path)["Location"] == DEVICES
    assert (is_signed_in(lost), is_signed_in(browser)) == (False, True)
    assert listed(browser) == ["Safari · iPhone"]
    assert browser.post(path).status_code == 404


def test_all_others_are_signed_out(ana: User) -> None:
    stranger = client_of(UserFactory.create())
    others = [with_agent(ana, FIREFOX), client_of(ana)]  # of the second no device is known
    browser = with_agent(ana, IPHONE)
    assert browser.post(reverse("accounts:devices_end"))["Location"] == DEVICES
    assert [is_signed_in(each) for each in (*others, browser, stranger)] == [False, False, True, True]


def test_devices_of_others_are_not_found(ana: User) -> None:
    victim = with_agent(ana, FIREFOX)
    browser = with_agent(UserFactory.create(), IPHONE)
    path = path_to_end(victim, victim)
    assert browser.post(path).status_code == 404
    assert Client().post(path).status_code == 302
    assert is_signed_in(victim)
    assert [browser.get(each).status_code for each in (path, reverse("accounts:devices_end"))] == [405, 405]
    assert browser.post(DEVICES).status_code == 405


def test_sessions_that_hold_no_more_are_not_listed(ana: User) -> None:
    browser = Client()
    sign_in(browser, "ana", PASSWORD)
    gone, expired = with_agent(ana, FIREFOX), with_agent(ana, CHROME)
    assert len(listed(browser)) == 3
    Session.objects.filter(session_key=expired.session.session_key).update(expire_date=timezone.now())
    gone.post(reverse("account_logout"))
    assert len(listed(browser)) == 1
    with_agent(ana, FIREFOX)
    new = "nine purple umbrellas"
    browser.post(reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert len(listed(browser)) == 1


@pytest.mark.parametrize("number", [1, 3])
def test_list_takes_as_many_questions_for_any_number(ana: User, number: int) -> None:
    browsers = [with_agent(ana, FIREFOX) for _ in range(number)]
    browsers[0].get(DEVICES)
    with CaptureQueriesContext(connection) as queries:
        assert len(listed(browsers[0])) == number
    assert len(queries) == 10


@pytest.mark.parametrize("number", [1, 3])
def test_noting_asks_nothing(ana: User, number: int) -> None:
    browser = client_of(ana)
    browser.get(PROFILE)
    with CaptureQueriesContext(connection) as before:
        browser.get(PROFILE)
    assert not [query for query in before if "device" in query["sql"]]
    for _ in range(number):
        with_agent(ana, FIREFOX)
    with CaptureQueriesContext(connection) as queries:
        write_down()
    assert len(queries) == 4


def test_streams_of_an_ended_device_end_and_no_others(server: ServerProcess) -> None:
    owner = UserFactory.create()
    room = RoomFactory.create(actor=owner)
    member = join(room, "member")
    lost, browser = with_agent(member, FIREFOX), with_agent(member, IPHONE)
    path = f"/rooms/{room.slug}/stream/"
    with EventStream(server, lost, path) as ending, EventStream(server, browser, path) as staying:
        assert (ending.status, staying.status) == (200, 200)
        began = time.monotonic()
        browser.post(path_to_end(browser, lost))
        assert [event.event for event in ending.rest()] == ["revoked"]
        assert time.monotonic() - began < END_SECONDS
        browser.post(
            f"/rooms/{room.slug}/messages/", {"text": "still here", "client_id": "6ba7b810-9dad-41d1-80b4-00c04fd430c8"}
        )
        assert staying.next().data["message"]["text"] == "still here"
    with EventStream(server, lost, path) as again:
        assert again.status == 401
