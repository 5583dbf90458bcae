"""The shipped server as a process of its own, on the tests' database."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from django.conf import settings

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60
STOP_SECONDS = 15


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def database_url(database: dict[str, Any]) -> str:
    """Return Django's database settings as an address, so that another process finds the tests' database."""
    login = quote(database["USER"]) + (f":{quote(database['PASSWORD'])}" if database["PASSWORD"] else "")
    host = quote(database["HOST"], safe="")
    port = f":{database['PORT']}" if database["PORT"] else ""
    return f"postgresql://{login}@{host}{port}/{quote(database['NAME'])}"


class ServerProcess:
    """`manage.py serve`; with `without`, the same with that safety taken off (tests/faults/unsafe_server.py)."""

    def __init__(
        self, database: dict[str, Any], workers: int = 1, without: str | None = None, **environment: str
    ) -> None:
        self.port = free_port()
        self._program = ["-m", "tests.faults.unsafe_server"] if without else ["manage.py"]
        self.workers = workers
        self._log = settings.DATA_DIR / f"server-{self.port}.log"
        self._environment = {
            **os.environ,
            "DATABASE_URL": database_url(database),
            "SECRET_KEY": settings.SECRET_KEY,
            **({"EARSHOT_FAULTS_WITHOUT": without} if without else {}),
            **environment,
        }
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        log = self.log()
        self._log.unlink(missing_ok=True)
        # Whatever the tests did to it, nothing may have gone wrong that nobody expected.
        assert "Traceback" not in log, log

    def start(self) -> None:
        command = [sys.executable, *self._program, "serve", "--port", str(self.port), "--workers", str(self.workers)]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=log, stderr=log)
        self._wait_until_healthy()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal and return the exit code; a server that does not leave in time is a failure."""
        if self.process is None:
            return 0
        self.process.send_signal(number)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the server did not stop:\n{self.log()}") from None
        finally:
            self.process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def log(self) -> str:
        return self._log.read_text()

    def assert_healthy(self) -> None:
        assert self.process, "the server is not running"
        assert self.process.poll() is None, f"the server ended:\n{self.log()}"

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            self.assert_healthy()
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("GET", "/readyz")
                if connection.getresponse().status == 200:
                    return
            except OSError:
                pass
            finally:
                connection.close()
            if self.process:
                # Waiting for its end is a bounded pause that a crash cuts short.
                try:
                    self.process.wait(0.05)
                except subprocess.TimeoutExpired:
                    continue
        raise AssertionError(f"the server did not get ready:\n{self.log()}")
