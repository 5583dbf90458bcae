"""What is promised in numbers: how soon a right ends, and what the worst input costs. `make trust` writes them down."""

from __future__ import annotations

import http.client
import os
import time
import uuid
from collections.abc import Callable
from urllib.parse import urlencode

import psutil

from accounts import actions as accounts
from accounts.models import User
from rooms import actions
from rooms.models import Membership, Room
from rooms.moderation import ban
from tests.conftest import client_of, join, leave
from tests.factories import PASSWORD, MessageFactory, RoomFactory
from tests.files.test_serving import token_of
from tests.messaging.test_markup import WORST
from tests.server import ServerProcess
from tests.streams import EventStream

Record = Callable[[str, object], None]
TIMES = int(os.environ.get("EARSHOT_TRUST_TIMES", "2"))  # each way of losing a right
REVOKED_SECONDS = 2.0
CPU_SECONDS = 0.4  # of one request, on a machine that is busy with others
MEGABYTE = 1024 * 1024
RISE_MAX = 25 * MEGABYTE
FORM = "application/x-www-form-urlencoded"
PARTS = "multipart/form-data; boundary=x"
PART = b'--x\r\nContent-Disposition: form-data; name="text"'
MULTIPART = {
    "1,000 parts": (PART + b"\r\n\r\na\r\n") * 1_000 + b"--x--",
    "long header of a part": PART + b"; " + b"a" * 100_000 + b"\r\n\r\na\r\n--x--",
    "spaces as base64": PART + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b" " * 120_000 + b"\r\n--x--",
    "no last boundary": PART + b"\r\n\r\n" + b"a" * 120_000,
    "boundaries": b"--x\r\n" * 20_000,
    "nested": PART + b"\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n" + b"--y\r\n\r\nz\r\n" * 9_000 + b"--x--",
}


def deactivated(room: Room, owner: User, victim: User) -> None:
    victim.is_active = False
    victim.save(update_fields=["is_active"])
    accounts.sign_out_everywhere([victim])


def given_another_password(room: Room, owner: User, victim: User) -> None:
    victim.set_password(f"another {PASSWORD}")
    victim.save(update_fields=["password"])
    accounts.end_streams_of(victim)


REVOCATIONS: dict[str, Callable[[Room, User, User], object]] = {
    "removed": lambda room, owner, victim: actions.remove_member(of(room, victim), actor=owner),
    "banned": lambda room, owner, victim: ban(room, user=victim, reason="", expires_at=None, actor=owner),
    "left": lambda room, owner, victim: leave(room, victim),
    "deactivated": deactivated,
    "given another password": given_another_password,
    "signed out": lambda room, owner, victim: accounts.sign_out_everywhere([victim]),
    "room deleted": lambda room, owner, victim: actions.delete_room(room, actor=owner),
}


def of(room: Room, user: User) -> Membership:
    return Membership.objects.select_related("room", "user").get(room=room, user=user)


def test_rights_end_in_time(server: ServerProcess, owner: User, record_property: Record) -> None:
    """From the commit that ends a right until the stream is closed; what is said after it never arrives."""
    took = []
    for number in range(TIMES):
        for place, (name, revoke) in enumerate(REVOCATIONS.items()):
            room = RoomFactory.create(kind=Room.Kind.PRIVATE, actor=owner)
            victim = join(room, f"victim-{number}-{place}")
            with EventStream(server, client_of(victim), f"/rooms/{room.slug}/stream/") as stream:
                MessageFactory.create(room=room, author=owner, text="before")
                assert stream.next().event == "message_created"
                revoke(room, owner, victim)
                began = time.monotonic()
                if name != "room deleted":
                    MessageFactory.create(room=room, author=owner, text="after")
                rest = stream.rest()
                took.append(time.monotonic() - began)
                assert [event for event in rest if event.event == "message_created"] == [], name
            assert took[-1] < REVOKED_SECONDS, name
    took.sort()
    record_property("revocations", len(took))
    record_property("revocation_p99_ms", round(took[int(0.99 * (len(took) - 1))] * 1000))


class Meter:
    """What a server process has used."""

    def __init__(self, server: ServerProcess) -> None:
        assert server.process
        self._process = psutil.Process(server.process.pid)

    def seconds(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def memory(self) -> int:
        return int(self._process.memory_info().rss)


def post(server: ServerProcess, room: Room, headers: dict[str, str], content_type: str, body: bytes) -> int:
    wire = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    wire.request("POST", f"/rooms/{room.slug}/messages/", body, {**headers, "Content-Type": content_type})
    status = wire.getresponse().status
    wire.close()
    return status


def test_worst_input_costs_little(server: ServerProcess, room: Room, owner: User, record_property: Record) -> None:
    """The worst texts, and forms that parsers choke on, over the wire: in time and memory of the server's process."""
    texts = {f"text: {name}": (FORM, message_form(text)) for name, text in WORST.items()}
    inputs = texts | {f"form: {name}": (PARTS, body) for name, body in MULTIPART.items()}
    meter, headers = Meter(server), token_of(server, client_of(owner))
    for _ in range(3):  # what is loaded once is no input's cost
        assert post(server, room, headers, FORM, message_form("hello")) == 201
    costs, before = {}, meter.memory()
    for name, (content_type, body) in inputs.items():
        began = meter.seconds()
        status = post(server, room, headers, content_type, body)
        costs[name] = meter.seconds() - began
        assert status in {201, 400, 413}, name
    worst = max(costs, key=lambda name: costs[name])
    rise = meter.memory() - before
    record_property("worst_input", worst)
    record_property("worst_input_ms", round(costs[worst] * 1000))
    record_property("worst_inputs_memory_mb", round(rise / MEGABYTE, 1))
    assert costs[worst] < CPU_SECONDS, worst
    assert rise < RISE_MAX


def message_form(text: str) -> bytes:
    return urlencode({"text": text[:8_000], "client_id": str(uuid.uuid4())}).encode()
