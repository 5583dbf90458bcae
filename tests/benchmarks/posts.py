"""What posting a message costs the server, beside a request that does nothing."""

from __future__ import annotations

import http.client
import secrets
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlencode

from django.conf import settings

from tests.benchmarks.child import Usage
from tests.benchmarks.figures import Figure, middle
from tests.benchmarks.posting import TEXT
from tests.benchmarks.stage import Person, Stage

REQUESTS = 300
CONNECTIONS = 4
WARM_UP = 40
NOTHING = "a view that does nothing"


@dataclass(frozen=True)
class Batch:
    cpu: float  # milliseconds of the server for each request
    rate: float  # requests a second


def measure(stage: Stage) -> Iterator[Figure]:
    room, people = stage.room(members=20)
    requests = stage.pick(REQUESTS, short=80)
    paths = (f"/rooms/{room.slug}/messages/", "/benchmarks/nothing/")
    rounds = []
    with stage.server() as (server, usage):
        for path in paths:
            _batch(server.port, path, people, usage, WARM_UP)
        for number in range(stage.rounds):
            stage.say(f"  round {number + 1} of {stage.rounds}: {requests} posts, {requests} requests for nothing …")
            rounds.append([_batch(server.port, path, people, usage, requests) for path in paths])
    yield middle(_cost(post, nothing) for post, nothing in rounds)
    yield middle(_rate(post, nothing) for post, nothing in rounds)


def _cost(post: Batch, nothing: Batch) -> Figure:
    return Figure("CPU per posted message", post.cpu, "ms", floor=nothing.cpu, bar=2.5, against=NOTHING)


def _rate(post: Batch, nothing: Batch) -> Figure:
    name = f"posts over HTTP, {CONNECTIONS} connections, one process"
    return Figure(name, post.rate, "/s", floor=nothing.rate, against=NOTHING, at_least=True)


def _batch(port: int, path: str, people: list[Person], usage: Usage, requests: int) -> Batch:
    usage.settle()
    cpu, began = usage.cpu, time.monotonic()
    each = requests // CONNECTIONS
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        jobs = [threads.submit(_send, port, path, person, each) for person in people[:CONNECTIONS]]
    for job in jobs:
        job.result()
    done = each * CONNECTIONS
    return Batch((usage.cpu - cpu) / done * 1e3, done / (time.monotonic() - began))


def _send(port: int, path: str, person: Person, requests: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for number in range(requests):
        send_message(connection, path, person, number)
    connection.close()


def send_message(connection: http.client.HTTPConnection, path: str, person: Person, number: int) -> None:
    """POST a message as the page's script does, and require that it was created."""
    token = secrets.token_hex(16)
    body = urlencode({"text": TEXT.format(number=number), "client_id": str(uuid.uuid4())})
    headers = {
        "Accept": "application/json",
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": f"{person.cookie}; {settings.CSRF_COOKIE_NAME}={token}",
        "X-CSRFToken": token,
    }
    connection.request("POST", path, body, headers)
    response = connection.getresponse()
    answer = response.read()
    if response.status != 201:
        raise RuntimeError(f"a POST was answered with {response.status}: {answer[:200]!r}")
