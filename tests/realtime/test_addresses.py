"""How many streams one internet address may have."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack

import pytest
from django.db import connection
from django.test import RequestFactory

from accounts.models import User
from project.address import client_network
from project.realtime.addresses import Addresses
from rooms.models import Room
from tests.conftest import client_of, join
from tests.server import ServerProcess
from tests.streams import EventStream, StreamEvent

MOST = 2
FREED_SECONDS = 10.0
ONE, OTHER = "192.0.2.1", "192.0.2.2"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_network_of_an_address_is_what_one_customer_has(address: str, network: str) -> None:
    assert client_network(RequestFactory().get("/", REMOTE_ADDR=address)) == network


def test_addresses_are_counted_each_by_itself_and_one_that_is_not_known_never(
    caplog: pytest.LogCaptureFixture,
) -> None:
    addresses = Addresses(MOST)
    for address in (ONE, ONE, OTHER, "", "", ""):
        addresses.enter(address)
    with caplog.at_level(logging.WARNING):
        assert [addresses.is_full(each) for each in (ONE, OTHER, "", "192.0.2.3")] == [True, False, False, False]
    assert [record.getMessage().partition(" has")[0] for record in caplog.records] == [ONE]
    for address in (ONE, ""):
        addresses.leave(address)
    assert not addresses.is_full(ONE)
    assert not Addresses(None).is_full(ONE)


@pytest.mark.django_db(transaction=True)
def test_address_with_all_its_streams_is_told_to_come_back_and_no_other(room: Room, owner: User) -> None:
    """As when the process has all of its own: the answer is a stream that ends at once, and says when to return."""
    people = [owner, join(room, "second"), join(room, "third")]
    with (
        ServerProcess(
            connection.settings_dict, STREAMS_PER_ADDRESS=str(MOST), LIMITS_FACTOR="1", TRUSTED_PROXIES="1"
        ) as server,
        ExitStack() as streams,
    ):

        def first_event(person: User, address: str) -> tuple[EventStream, StreamEvent | None]:
            path = f"/rooms/{room.slug}/stream/?after=0"
            stream = EventStream(server, client_of(person), path, **{"X-Forwarded-For": address})
            streams.callback(stream.close)
            return stream, next(stream.events(), None)

        (held, event), (_second, other) = first_event(people[0], ONE), first_event(people[1], ONE)
        full = StreamEvent(id=None, event="full", data={})
        assert event
        assert other
        refused, nothing = first_event(people[2], ONE)
        assert (refused.status, nothing) == (200, full)
        assert refused.retry
        assert refused.retry >= 1000
        # A person who is elsewhere is somebody else; what a client itself puts into the header counts for nothing.
        assert first_event(people[2], OTHER)[1] != full
        assert first_event(people[2], f"{OTHER}, {ONE}")[1] == full
        held.close()
        deadline = time.monotonic() + FREED_SECONDS
        while first_event(people[2], ONE)[1] == full:
            assert time.monotonic() < deadline, "the place of a stream that has ended was not given to another"
