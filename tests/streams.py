"""A plain SSE client over a socket, as curl would be."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from django.conf import settings
from django.test import Client

from tests.server import ServerProcess

WAIT_SECONDS = 15.0


@dataclass(frozen=True)
class StreamEvent:
    event: str
    data: dict[str, Any]
    id: str | None


class EventStream:
    """An open stream. Reading waits for WAIT_SECONDS at most, then raises `TimeoutError`."""

    def __init__(
        self, server: ServerProcess, client: Client, path: str, last_event_id: str | None = None, **more: str
    ) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=WAIT_SECONDS)
        headers = {"Accept": "text/event-stream", "Cookie": cookie_header(client), **more}
        if last_event_id is not None:
            headers["Last-Event-ID"] = last_event_id
        self._connection.request("GET", path, headers=headers)
        self._socket = self._connection.sock  # `http.client` forgets it, as the server is to close it
        self.response = self._connection.getresponse()
        self.retry: int | None = None
        self.ignored = {"ping", "presence", "unread", "rooms"}

    @property
    def status(self) -> int:
        return self.response.status

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        with suppress(OSError):  # it may be closed already
            self._socket.shutdown(socket.SHUT_RDWR)
        self.response.close()
        self._connection.close()

    def events(self) -> Iterator[StreamEvent]:
        """Yield events until the server ends the stream, without those that are `ignored`."""
        fields: dict[str, str] = {}
        while line := self.response.readline():
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name == "retry":
                self.retry = int(value)
            elif name:
                fields[name] = value
            elif fields:
                event = StreamEvent(fields["event"], json.loads(fields["data"]), fields.get("id"))
                fields = {}
                if event.event not in self.ignored:
                    yield event

    def next(self) -> StreamEvent:
        return next(self.events())

    def take(self, number: int) -> list[StreamEvent]:
        return [self.next() for _ in range(number)]

    def rest(self) -> list[StreamEvent]:
        """Return all that comes until the server ends the stream."""
        return list(self.events())


def cookie_header(client: Client) -> str:
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
