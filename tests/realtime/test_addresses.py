"""How many streams one internet address may have."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack

import pytest
from django.db import connection
from django.test import RequestFactory

from accounts.models import User
from messaging.actions import edit_message
from project.address import client_network
from project.realtime.addresses import Addresses
from project.realtime.passing import POLL_SECONDS
from project.realtime.subscription import REPLAY_ENTRIES
from rooms.actions import remove_member
from rooms.models import Room
from tests.conftest import client_of, join
from tests.factories import MessageFactory
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


FULL = StreamEvent(id=None, event="full", data={})


@pytest.mark.django_db(transaction=True)
def test_address_with_all_its_streams_is_told_to_come_back_and_no_other(room: Room, owner: User) -> None:
    """As when the process has all of its own: the answer ends at once, brings what is new, and says when to return."""
    people = [owner, join(room, "second"), join(room, "third")]
    with (
        ServerProcess(
            connection.settings_dict, STREAMS_PER_ADDRESS=str(MOST), LIMITS_FACTOR="1", TRUSTED_PROXIES="1"
        ) as server,
        ExitStack() as streams,
    ):

        def first_event(person: User, address: str) -> tuple[EventStream, StreamEvent | None]:
            path = f"/rooms/{room.slug}/stream/"
            stream = EventStream(server, client_of(person), path, **{"X-Forwarded-For": address})
            streams.callback(stream.close)
            stream.ignored = {"ping", "unread", "rooms"}
            return stream, next(stream.events(), None)

        (held, event), (_second, other) = first_event(people[0], ONE), first_event(people[1], ONE)
        assert event
        assert other
        refused, nothing = first_event(people[2], ONE)
        assert (refused.status, nothing) == (200, FULL)
        assert refused.retry
        assert refused.retry >= 1000
        # A person who is elsewhere is somebody else; what a client itself puts into the header counts for nothing.
        assert first_event(people[2], OTHER)[1] != FULL
        assert first_event(people[2], f"{OTHER}, {ONE}")[1] == FULL
        held.close()
        deadline = time.monotonic() + FREED_SECONDS
        while first_event(people[2], ONE)[1] == FULL:
            assert time.monotonic() < deadline, "the place of a stream that has ended was not given to another"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/rooms/{slug}/stream/?after={cursor}", "/stream/?after={key}.{cursor}"])
def test_log_is_read_on_by_polling_where_there_is_no_place(room: Room, owner: User, path: str) -> None:
    """More than one portion, each event once and in order, and what comes meanwhile; without membership nothing."""
    member = join(room, "member")
    room.refresh_from_db()
    start = cursor = room.last_position
    messages = MessageFactory.create_batch(REPLAY_ENTRIES + 5, room=room, author=owner)
    with (
        ServerProcess(connection.settings_dict, STREAMS_PER_ADDRESS="1", LIMITS_FACTOR="1") as server,
        EventStream(server, client_of(owner), f"/rooms/{room.slug}/stream/"),
    ):

        def polled(cursor: int) -> list[StreamEvent]:
            with EventStream(
                server, client_of(member), path.format(slug=room.slug, key=room.pk, cursor=cursor)
            ) as stream:
                assert stream.status == 200
                *events, last = stream.events()
                assert last == FULL
                assert 1_000 <= (stream.retry or 0) <= 1_000 * POLL_SECONDS
                return events

        positions = []
        while events := polled(cursor):
            positions += [event.data["position"] for event in events]
            cursor = positions[-1]
        assert positions == list(range(start + 1, start + 1 + len(messages)))
        edit_message(messages[-1], text="said better", actor=owner)
        deadline = time.monotonic() + FREED_SECONDS
        while not (events := polled(cursor)):
            assert time.monotonic() < deadline, "what came meanwhile is not shown"
        (edited,) = events
        assert edited.data["message"]["text"] == "said better"
        remove_member(room.memberships.get(user=member), actor=owner)
        with EventStream(server, client_of(member), f"/rooms/{room.slug}/stream/?after={start}") as stream:
            assert stream.status in {403, 404}
