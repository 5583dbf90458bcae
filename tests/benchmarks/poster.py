"""Somebody who posts over HTTP while something else goes on."""

from __future__ import annotations

import http.client
import threading
import time

from tests.benchmarks.posts import send_message
from tests.benchmarks.stage import Person

PAUSE_SECONDS = 0.1


class Poster:
    """Posts again and again, from a thread of its own, for as long as the block lasts; `times` is how long each took.

    In milliseconds.
    """

    def __init__(self, port: int, path: str, person: Person) -> None:
        self.times: list[float] = []
        self._port = port
        self._path = path
        self._person = person
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._post)

    def __enter__(self) -> Poster:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._done.set()
        self._thread.join()

    @property
    def p99(self) -> float:
        return sorted(self.times)[int(len(self.times) * 0.99)]

    def _post(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        while not self._done.wait(PAUSE_SECONDS):
            began = time.monotonic()
            send_message(connection, self._path, self._person, len(self.times))
            self.times.append((time.monotonic() - began) * 1e3)
        connection.close()
